// SPDX-License-Identifier: Apache-2.0
#include "sys/cpu.hpp"

#include "sys/io.hpp"
#include "sys/thread.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace weft::sys {
namespace {

/// Cuts `text` at the first `separator`: what stands before it; `text` keeps what stands behind.
std::string_view take_until(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

std::optional<std::int64_t> parse_number(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

std::optional<double> quotient(std::optional<std::int64_t> quota,
                               std::optional<std::int64_t> period) noexcept {
  if (!quota || !period || *quota <= 0 || *period <= 0) return {};  // version 1 says -1 for "no limit"
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::string> read_line(const std::string& path) {
  const Result<std::string> text = read_text_file(path.c_str());
  if (!text) return {};
  return text->substr(0, text->find('\n'));
}

std::optional<double> quota_v2(const std::string& group) {
  const std::optional<std::string> line = read_line(group + "/cpu.max");
  return line ? parse_cpu_max(*line) : std::nullopt;
}

std::optional<double> quota_v1(const std::string& group) {
  const std::optional<std::string> quota = read_line(group + "/cpu.cfs_quota_us");
  const std::optional<std::string> period = read_line(group + "/cpu.cfs_period_us");
  if (!quota || !period) return {};
  return quotient(parse_number(*quota), parse_number(*period));
}

std::optional<double> tighter(std::optional<double> a, std::optional<double> b) noexcept {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

/// The tightest quota from `group` up to `root`. Inside a container the membership may name a path that only
/// the host sees; the root of the mount is the container's own group then.
template <class ReadQuota>
std::optional<double> tightest(const std::string& root, std::string group, ReadQuota read_quota) {
  std::optional<double> quota;
  while (!group.empty() && group != "/") {
    quota = tighter(quota, read_quota(root + group));
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  return tighter(quota, read_quota(root));
}

std::optional<double> tightest_v1(const std::string& mount, const std::string& group) {
  const std::optional<double> alone = tightest(mount + "/cpu", group, quota_v1);
  return tighter(alone, tightest(mount + "/cpu,cpuacct", group, quota_v1));
}

std::optional<double> tightest_v2(const std::string& mount, const std::string& group) {
  const std::optional<double> pure = tightest(mount, group, quota_v2);
  return tighter(pure, tightest(mount + "/unified", group, quota_v2));
}

bool lists(std::string_view controllers, std::string_view controller) noexcept {
  while (!controllers.empty()) {
    if (take_until(controllers, ',') == controller) return true;
  }
  return controller.empty();
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::string_view quota = take_until(text, ' ');
  return quotient(parse_number(quota), parse_number(text));
}

std::optional<std::string> parse_cgroup_path(std::string_view membership, std::string_view controller) {
  while (!membership.empty()) {
    std::string_view line = take_until(membership, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    const bool is_v2 = hierarchy == "0" && controllers.empty();
    if (controller.empty() ? is_v2 : !is_v2 && lists(controllers, controller)) return std::string(line);
  }
  return {};
}

std::optional<double> cgroup_cpu_quota(const CgroupPaths& paths) {
  const Result<std::string> membership = read_text_file(paths.membership.c_str());
  if (!membership) return {};
  const std::optional<std::string> v2 = parse_cgroup_path(*membership, "");
  const std::optional<std::string> v1 = parse_cgroup_path(*membership, "cpu");
  return tighter(v2 ? tightest_v2(paths.mount, *v2) : std::nullopt,
                 v1 ? tightest_v1(paths.mount, *v1) : std::nullopt);
}

unsigned usable_cpu_count(const CgroupPaths& paths) {
  const Result<std::vector<int>> affinity = thread_affinity();
  const double allowed = affinity ? static_cast<double>(affinity->size()) : 1.0;
  const double paid = std::ceil(cgroup_cpu_quota(paths).value_or(allowed));
  return static_cast<unsigned>(std::max(1.0, std::min(allowed, paid)));
}

}  // namespace weft::sys
