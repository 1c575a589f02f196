// SPDX-License-Identifier: Apache-2.0
#include "sys/cpu.hpp"

#include "sys/thread.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

namespace fs = std::filesystem;

/// A control group tree in a directory of its own.
class CgroupTest : public testing::Test {
 protected:
  CgroupTest() {
    std::string pattern = (fs::temp_directory_path() / "weft-cgroup-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    paths_ = {.mount = (root_ / "mount").string(), .membership = (root_ / "membership").string()};
  }
  ~CgroupTest() override { fs::remove_all(root_); }

  void membership(const std::string& text) { write(paths_.membership, text); }
  void file(const std::string& path, const std::string& text) { write(paths_.mount + path, text); }

  CgroupPaths paths_;

 private:
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  fs::path root_;
};

TEST_F(CgroupTest, Version2GivesTheQuotaOfItsGroup) {
  membership("0::/batch/job\n");
  file("/batch/job/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), 1.5);
}

TEST_F(CgroupTest, TheTightestOfTheGroupAndItsParentsCounts) {
  membership("0::/batch/job/step\n");
  file("/batch/job/step/cpu.max", "max 100000\n");
  file("/batch/job/cpu.max", "300000 100000\n");
  file("/batch/cpu.max", "200000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), 2.0);
}

TEST_F(CgroupTest, InsideAContainerTheRootOfTheMountCounts) {
  membership("0::/docker/0123456789abcdef\n");
  file("/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), 0.5);
}

TEST_F(CgroupTest, Version1GivesQuotaOverPeriod) {
  membership("7:memory:/m\n4:cpu,cpuacct:/job\n0::/\n");
  file("/cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  file("/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), 2.5);
}

TEST_F(CgroupTest, Version1SaysMinusOneForNoLimit) {
  membership("1:cpu:/\n");
  file("/cpu/cpu.cfs_quota_us", "-1\n");
  file("/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), std::nullopt);
}

TEST_F(CgroupTest, BothVersionsSideBySideGiveTheTighter) {
  membership("1:cpu:/job\n0::/job\n");
  file("/cpu/job/cpu.cfs_quota_us", "400000\n");
  file("/cpu/job/cpu.cfs_period_us", "100000\n");
  file("/unified/job/cpu.max", "300000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), 3.0);
}

TEST_F(CgroupTest, NothingThereMeansNoLimit) {
  EXPECT_EQ(cgroup_cpu_quota(paths_), std::nullopt);
  membership("0::/gone\n");
  EXPECT_EQ(cgroup_cpu_quota(paths_), std::nullopt);
  membership("");
  EXPECT_EQ(cgroup_cpu_quota(paths_), std::nullopt);
}

TEST_F(CgroupTest, S10_UsableCpusAreTheQuotaRoundedUpWithinTheAffinity) {
  const auto allowed = static_cast<unsigned>(thread_affinity().value().size());
  EXPECT_EQ(usable_cpu_count(paths_), allowed);
  membership("0::/\n");
  file("/cpu.max", "1000 100000\n");
  EXPECT_EQ(usable_cpu_count(paths_), 1u) << "never none";
  file("/cpu.max", "110000 100000\n");
  EXPECT_EQ(usable_cpu_count(paths_), std::min(2u, allowed));
  file("/cpu.max", "99900000 100000\n");
  EXPECT_EQ(usable_cpu_count(paths_), allowed) << "a quota beyond the affinity does not count";
}

TEST_F(CgroupTest, S10_UsableCpusFollowTheAffinityOfTheThread) {
  const std::vector<int> cpus = thread_affinity().value();
  std::thread([&] {
    ASSERT_TRUE(set_thread_affinity(std::span(cpus).first(1)));
    EXPECT_EQ(usable_cpu_count(paths_), 1u);
  }).join();
}

TEST(UsableCpuCount, OfThisMachineIsAtLeastOne) { EXPECT_GE(usable_cpu_count(), 1u); }

TEST(ParseCpuMax, ReadsQuotaAndPeriod) {
  EXPECT_EQ(parse_cpu_max("200000 100000"), 2.0);
  EXPECT_EQ(parse_cpu_max("25000 50000\n"), 0.5);
}

TEST(ParseCpuMax, WhatItDoesNotUnderstandDoesNotLimit) {
  for (const char* text : {"max 100000", "max", "", "\n", "200000", "200000 ", "0 100000", "-1 100000",
                           "100000 0", "12x 100000", "1 2 3", "99999999999999999999 1"}) {
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
  }
}

TEST(ParseCgroupPath, FindsTheHierarchy) {
  const char* const membership = "12:pids:/a\n4:cpu,cpuacct:/b/c\n3:cpuset:/d\n0::/e:f\n";
  EXPECT_EQ(parse_cgroup_path(membership, "cpu"), "/b/c");
  EXPECT_EQ(parse_cgroup_path(membership, "cpuset"), "/d");
  EXPECT_EQ(parse_cgroup_path(membership, ""), "/e:f") << "a path may have colons";
  EXPECT_EQ(parse_cgroup_path(membership, "blkio"), std::nullopt);
}

TEST(ParseCgroupPath, ANamedHierarchyIsNotVersion2) {
  EXPECT_EQ(parse_cgroup_path("9:name=systemd:/\n5::/odd\n", ""), std::nullopt);
  EXPECT_EQ(parse_cgroup_path("0::/only", "cpu"), std::nullopt);
}

}  // namespace
}  // namespace weft::sys
