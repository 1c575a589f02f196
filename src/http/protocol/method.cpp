// SPDX-License-Identifier: Apache-2.0
#include <weft/http/method.hpp>

#include "base/atomic.hpp"
#include "http/protocol/characters.hpp"

#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

namespace weft::http {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames = {
    "DELETE",      "GET",   "HEAD",   "POST",       "PUT",       "CONNECT", "OPTIONS",  "TRACE",  "COPY",
    "LOCK",        "MKCOL", "MOVE",   "PROPFIND",   "PROPPATCH", "SEARCH",  "UNLOCK",   "BIND",   "REBIND",
    "UNBIND",      "ACL",   "REPORT", "MKACTIVITY", "CHECKOUT",  "MERGE",   "M-SEARCH", "NOTIFY", "SUBSCRIBE",
    "UNSUBSCRIBE", "PATCH", "PURGE",  "MKCALENDAR", "LINK",      "UNLINK",  "SOURCE"};

static_assert(kMethodCount + kRegisteredMethodsMax == 64, "a MethodSet has a bit for each");

/// The methods that the program has added. A name is written before the count that makes it visible, and
/// never again.
class RegisteredMethods {
 public:
  std::optional<Method> find(std::string_view name) const noexcept {
    const std::size_t count = count_.load(acquire);  // pairs with the release in add()
    for (std::size_t i = 0; i < count; ++i) {
      if (names_[i].text() == name) return static_cast<Method>(kMethodCount + i);
    }
    return std::nullopt;
  }

  std::string_view name(std::size_t index) const noexcept {
    return index < count_.load(acquire) ? names_[index].text() : std::string_view();
  }

  Method add(std::string_view name) {
    const std::scoped_lock lock(adding_);
    if (const std::optional<Method> known = find(name)) return *known;
    const std::size_t count = count_.load(relaxed);  // stored under the lock
    if (count == names_.size()) throw std::length_error("no room for one more HTTP method");
    Name& added = names_[count];
    std::memcpy(added.bytes.data(), name.data(), name.size());
    added.size = name.size();
    count_.store(count + 1, release);
    return static_cast<Method>(kMethodCount + count);
  }

 private:
  struct Name {
    std::array<char, kMethodNameSizeMax> bytes{};
    std::size_t size = 0;

    std::string_view text() const noexcept { return {bytes.data(), size}; }
  };

  std::mutex adding_;
  Atomic<std::size_t> count_{0};
  std::array<Name, kRegisteredMethodsMax> names_;
};

constinit RegisteredMethods registered;

}  // namespace

std::string_view to_string(Method method) noexcept {
  const auto index = static_cast<std::size_t>(method);
  return index < kNames.size() ? kNames[index] : registered.name(index - kNames.size());
}

std::optional<Method> method_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Method>(i);
  }
  return registered.find(name);
}

Method register_method(std::string_view name) {
  if (const std::optional<Method> known = method_from(name)) return *known;
  if (name.empty() || name.size() > kMethodNameSizeMax ||
      !protocol::all_are(protocol::kTokenCharacter, name)) {
    throw std::invalid_argument("the name of an HTTP method is a token of at most 32 characters, not \"" +
                                std::string(name) + "\"");
  }
  return registered.add(name);
}

}  // namespace weft::http
