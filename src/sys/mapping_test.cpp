// SPDX-License-Identifier: Apache-2.0
#include "sys/mapping.hpp"

#include "base/sanitizers.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <cstdlib>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

const std::size_t kPage = page_size();

bool resident(std::byte* page) {
  unsigned char state = 0;
  EXPECT_EQ(::mincore(page, kPage, &state), 0);
  return (state & 1) != 0;
}

bool mapped(std::byte* page) {
  unsigned char state = 0;
  return ::mincore(page, kPage, &state) == 0;
}

/// The exit status of `child` run in a forked process, which may lock memory or crash without harm.
template <class Child>
int status_of_child(Child child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child());
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

TEST(Mapping, PagesComeOnFirstTouchAndReadAsZero) {
  const Mapping mapping = Mapping::reserve(8 * kPage).value();
  EXPECT_EQ(mapping.size(), 8 * kPage);
  EXPECT_FALSE(resident(mapping.data()));
  EXPECT_EQ(mapping.data()[3 * kPage], std::byte{0});
  mapping.data()[0] = std::byte{1};
  EXPECT_TRUE(resident(mapping.data()));
  EXPECT_FALSE(resident(mapping.data() + 7 * kPage));
}

TEST(Mapping, MoreThanTheMachinesMemoryCanBeReserved) {
  if (WEFT_ASAN || WEFT_TSAN) GTEST_SKIP() << "the sanitizer takes part of the address space";
  EXPECT_EQ(Mapping::reserve(std::size_t{1} << 42)->size(), std::size_t{1} << 42);
}

TEST(Mapping, IsGivenBackAtTheEnd) {
  std::byte* data = nullptr;
  {
    const Mapping mapping = Mapping::reserve(kPage).value();
    data = mapping.data();
    EXPECT_TRUE(mapped(data));
  }
  EXPECT_FALSE(mapped(data));
}

// The kernel joins neighbours, and may refuse to split them. A crash here would be a server's.
TEST(Mapping, ThatTheKernelCannotGiveBackKeepsNoMemory) {
  Result<Mapping> mapping = Mapping::reserve(4 * kPage);
  ASSERT_TRUE(mapping);
  std::byte* const data = mapping->data();
  data[0] = std::byte{1};
  EXPECT_TRUE(resident(data));
  {
    FaultPlan faults;
    faults.fail(Call::munmap, ENOMEM);
    *mapping = Mapping();
  }
  EXPECT_TRUE(mapped(data)) << "the addresses are lost";
  EXPECT_FALSE(resident(data));
  EXPECT_EQ(::munmap(data, 4 * kPage), 0);
}

TEST(Mapping, MovingHandsOverOwnership) {
  Mapping mapping = Mapping::reserve(kPage).value();
  std::byte* const data = mapping.data();
  Mapping moved = std::move(mapping);
  EXPECT_EQ(mapping.data(), nullptr);
  EXPECT_EQ(moved.data(), data);
  moved = Mapping::reserve(2 * kPage).value();
  EXPECT_FALSE(mapped(data) && data != moved.data()) << "what it held was given back";
}

TEST(Mapping, RunningOutOfMemoryIsReported) {
  FaultPlan faults;
  faults.fail(Call::mmap, ENOMEM);
  EXPECT_EQ(Mapping::reserve(kPage).error(), std::errc::not_enough_memory);
  EXPECT_TRUE(is_errno(Mapping::reserve(std::size_t{1} << 62).error(), ENOMEM));
  EXPECT_TRUE(is_errno(Mapping::reserve(0).error(), EINVAL));
}

TEST(Mapping, DiscardedPagesAreZeroAndNotResident) {
  const Mapping mapping = Mapping::reserve(kPage).value();
  mapping.data()[5] = std::byte{9};
  ASSERT_TRUE(discard(mapping.data(), kPage));
  EXPECT_FALSE(resident(mapping.data()));
  EXPECT_EQ(mapping.data()[5], std::byte{0});
}

TEST(Mapping, HugePagesCanBeDeclined) {
  const Mapping mapping = Mapping::reserve(kPage).value();
  const Result<void> declined = disable_huge_pages(mapping.data(), kPage);
  EXPECT_TRUE(declined || is_errno(declined.error(), EINVAL)) << "EINVAL: a kernel without huge pages";
}

TEST(Mapping, AFailureOfAdviceIsReported) {
  const Mapping mapping = Mapping::reserve(kPage).value();
  EXPECT_TRUE(is_errno(discard(mapping.data() + 1, kPage).error(), EINVAL)) << "not at a page";
  FaultPlan faults;
  faults.fail(Call::madvise, ENOMEM);
  EXPECT_TRUE(is_errno(install_guard(mapping.data(), kPage).error(), ENOMEM));
  faults.fail(Call::mprotect, ENOMEM);
  EXPECT_TRUE(is_errno(protect(mapping.data(), kPage).error(), ENOMEM));
}

TEST(MappingDeathTest, ATouchedProtectedPageKills) {
  const Mapping mapping = Mapping::reserve(2 * kPage).value();
  ASSERT_TRUE(protect(mapping.data(), kPage));
  EXPECT_DEATH(mapping.data()[0] = std::byte{1}, "");
  mapping.data()[kPage] = std::byte{1};
  ASSERT_TRUE(unprotect(mapping.data(), kPage));
  mapping.data()[0] = std::byte{1};
}

TEST(MappingDeathTest, ATouchedGuardKillsUntilItIsRemoved) {
  if (!probe_guards()) GTEST_SKIP() << "this kernel has no guard regions";
  const Mapping mapping = Mapping::reserve(2 * kPage).value();
  ASSERT_TRUE(install_guard(mapping.data(), kPage));
  EXPECT_DEATH(mapping.data()[0] = std::byte{1}, "");
  mapping.data()[kPage] = std::byte{1};
  ASSERT_TRUE(remove_guard(mapping.data(), kPage));
  mapping.data()[0] = std::byte{1};
}

TEST(ProbeGuards, SaysNoWhenTheKernelRefuses) {
  FaultPlan faults;
  faults.fail(Call::madvise, EINVAL);
  EXPECT_FALSE(probe_guards());
}

TEST(ProbeGuards, SaysNoWhenItCannotBeTried) {
  FaultPlan faults;
  faults.fail(Call::mmap, ENOMEM);
  EXPECT_FALSE(probe_guards());
  faults.fail(Call::pipe, EMFILE);
  EXPECT_FALSE(probe_guards());
}

// qemu-user 7.2 answers that it is done, and guards nothing.
TEST(ProbeGuards, GoesByTheEffectNotByTheAnswer) {
  if (!probe_guards()) GTEST_SKIP() << "this kernel has no guard regions";
  FaultPlan faults;
  faults.shorten(Call::madvise, 0);  // the advice then covers no byte, and succeeds
  EXPECT_FALSE(probe_guards());
}

TEST(ProbeGuards, SaysNoInLockedMemory) {
  if (!probe_guards()) GTEST_SKIP() << "this kernel has no guard regions";
  if (WEFT_ASAN || WEFT_TSAN) GTEST_SKIP() << "the shadow cannot be locked";
  const int status = status_of_child([] {
    if (::mlockall(MCL_FUTURE) != 0) return 77;
    return probe_guards() ? 1 : 0;
  });
  if (status == 77 << 8) GTEST_SKIP() << "may not lock memory";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace weft::sys
