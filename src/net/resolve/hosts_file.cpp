// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/hosts_file.hpp"

#include "sys/io.hpp"

#include <algorithm>
#include <optional>

namespace weft::net {
namespace {

constexpr std::string_view kBlanks = " \t\r";

/// Cuts the first word off `text`; none if nothing but blanks is left.
std::optional<std::string_view> take_word(std::string_view& text) noexcept {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::string_view without_dot(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string host_key_of(std::string_view name) {
  std::string key(without_dot(name));
  for (char& letter : key) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return key;
}

void add_line(HostsFile::Names& names, std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::optional<std::string_view> first = take_word(line);
  if (!first) return;
  const Result<IpAddress> address = IpAddress::parse(*first);
  if (!address) return;
  while (const std::optional<std::string_view> name = take_word(line)) {
    std::vector<IpAddress>& addresses = names[host_key_of(*name)];
    if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
      addresses.push_back(*address);
  }
}

}  // namespace

HostsFile::Names HostsFile::parse(std::string_view text) {
  Names names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    add_line(names, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

std::shared_ptr<const HostsFile::Names> HostsFile::current() {
  const sys::FileStamp stamp = sys::stamp_of(path_.c_str());
  {
    const std::scoped_lock lock(mutex_);
    if (names_ != nullptr && stamp == stamp_) return names_;
  }
  // The stamp is older than the text: a change in between is seen next time.
  const Result<std::string> text = sys::read_text_file(path_.c_str());
  auto names = std::make_shared<const Names>(text ? parse(*text) : Names());
  const std::scoped_lock lock(mutex_);
  names_ = names;
  stamp_ = stamp;
  return names;
}

std::vector<IpAddress> HostsFile::find(std::string_view name) {
  if (path_.empty()) return {};
  const std::shared_ptr<const Names> names = current();
  const auto found = names->find(std::string(without_dot(name)));
  return found == names->end() ? std::vector<IpAddress>() : found->second;
}

}  // namespace weft::net
