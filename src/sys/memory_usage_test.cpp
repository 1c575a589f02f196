// SPDX-License-Identifier: Apache-2.0
#include "sys/memory_usage.hpp"

#include "sys/fault.hpp"
#include "sys/mapping.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

TEST(MemoryUsage, GrowsByWhatIsTouched) {
  constexpr std::size_t kSize = 64 << 20;
  const Mapping mapping = Mapping::reserve(kSize).value();
  const std::size_t before = resident_bytes().value();
  std::fill_n(mapping.data(), kSize, std::byte{1});
  const std::size_t after = resident_bytes().value();
  EXPECT_GE(after, before + kSize * 9 / 10);
}

TEST(MemoryUsage, PageTablesAreCountedApart) {
  EXPECT_GT(page_table_bytes().value(), 0u);
  EXPECT_LT(page_table_bytes().value(), resident_bytes().value());
}

TEST(MemoryUsage, AFieldOfTheStatusIsFoundByItsWholeName) {
  const char* const status = "Name:\tVmPTE:\nVmPTEX:\t  9 kB\nVmPTE:\t  108 kB\nOdd:\tnone\n";
  EXPECT_EQ(parse_status_kb(status, "VmPTE").value(), 108u * 1024);
  EXPECT_EQ(parse_status_kb(status, "VmRSS").error(), Errc::unsupported);
  EXPECT_EQ(parse_status_kb(status, "Odd").error(), Errc::unsupported);
}

TEST(MemoryUsage, WithoutProcItIsAnError) {
  FaultPlan faults;
  faults.fail(Call::open, ENOENT, {.times = 2});
  EXPECT_EQ(resident_bytes().error(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(page_table_bytes().error(), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace weft::sys
