// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::sys {

/// Where the control groups of this process are found; tests give a tree of their own.
struct CgroupPaths {
  std::string mount = "/sys/fs/cgroup";
  std::string membership = "/proc/self/cgroup";
};

/// How many CPUs this process can keep busy (law S10): those its affinity allows, but no more than its
/// cgroup's quota pays for, a fraction of one counted as one. At least 1; what cannot be read does not limit.
unsigned usable_cpu_count(const CgroupPaths& paths = {});

/// The quota of the process' cgroup in CPUs, the tightest of the group and its parents; none without a limit.
/// Version 2 (cpu.max) and version 1 (cpu.cfs_quota_us), also mounted side by side.
std::optional<double> cgroup_cpu_quota(const CgroupPaths& paths = {});

/// What `cpu.max` says: "max 100000" is none, "150000 100000" is 1.5.
std::optional<double> parse_cpu_max(std::string_view text);

/// The group of version 2 ("0::/a/b" gives "/a/b"), or of a controller of version 1 ("4:cpu,cpuacct:/a").
std::optional<std::string> parse_cgroup_path(std::string_view membership, std::string_view controller);

}  // namespace weft::sys
