// SPDX-License-Identifier: Apache-2.0
#include "sys/memory_usage.hpp"

#include "sys/io.hpp"
#include "sys/mapping.hpp"

#include <charconv>
#include <string>

namespace weft::sys {
namespace {

Result<std::size_t> number_at(std::string_view text, std::size_t position) {
  position = text.find_first_not_of(" \t", position);
  if (position == std::string_view::npos) return Errc::unsupported;
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data() + position, text.data() + text.size(), number);
  if (parsed.ec != std::errc{}) return Errc::unsupported;
  return number;
}

}  // namespace

Result<std::size_t> resident_bytes() {
  const Result<std::string> statm = read_text_file("/proc/self/statm");
  if (!statm) return statm.error();
  const Result<std::size_t> pages = number_at(*statm, statm->find(' '));
  if (!pages) return pages.error();
  return *pages * page_size();
}

Result<std::size_t> page_table_bytes() {
  const Result<std::string> status = read_text_file("/proc/self/status");
  if (!status) return status.error();
  return parse_status_kb(*status, "VmPTE");
}

Result<std::size_t> parse_status_kb(std::string_view status, std::string_view field) {
  const std::string label = "\n" + std::string(field) + ":";
  const std::size_t start = status.find(label);
  if (start == std::string_view::npos) return Errc::unsupported;
  const Result<std::size_t> kilobytes = number_at(status, start + label.size());
  if (!kilobytes) return kilobytes.error();
  return *kilobytes * 1024;
}

}  // namespace weft::sys
