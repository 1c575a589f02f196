// SPDX-License-Identifier: Apache-2.0
#include "base/panic.hpp"

#include "base/atomic.hpp"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace weft {
namespace {

Atomic<PanicHook> panic_hook{nullptr};

/// Collects text without allocating; what does not fit is cut.
class Line {
 public:
  void add(std::string_view text) noexcept {
    const std::size_t size = text.size() < sizeof(text_) - size_ ? text.size() : sizeof(text_) - size_;
    std::memcpy(text_ + size_, text.data(), size);
    size_ += size;
  }

  void add_number(std::uint64_t number) noexcept {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[sizeof(digits) - ++count] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add({digits + sizeof(digits) - count, count});
  }

  void write() const noexcept {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text_, size_);
  }

 private:
  char text_[1024];
  std::size_t size_ = 0;
};

}  // namespace

void set_panic_hook(PanicHook hook) noexcept { panic_hook.store(hook, release); }

void write_to_stderr(std::initializer_list<std::string_view> pieces) noexcept {
  Line line;
  for (std::string_view piece : pieces) line.add(piece);
  line.write();
}

void panic(const char* file, int line_number, const char* what,
           std::initializer_list<PanicValue> values) noexcept {
  Line line;
  line.add("BUG: ");
  line.add(what);
  const char* separator = " (";
  for (const PanicValue& value : values) {
    line.add(separator);
    line.add(value.name);
    line.add("=");
    line.add_number(value.value);
    separator = ", ";
  }
  if (values.size() != 0) line.add(")");
  line.add(" at ");
  line.add(file);
  line.add(":");
  line.add_number(static_cast<std::uint64_t>(line_number));
  line.add("\n");
  line.write();
  // The exchange keeps a hook that panics itself from being entered twice.
  if (PanicHook hook = panic_hook.exchange(nullptr, acq_rel); hook != nullptr) hook();
  std::abort();
}

}  // namespace weft
