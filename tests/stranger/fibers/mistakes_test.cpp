// SPDX-License-Identifier: Apache-2.0
// A mistake names the line of the program that made it, and how the program got there; never only a file of
// the library.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <string>

namespace {

using namespace std::chrono_literals;

class MistakeDeathTest : public testing::Test {
 protected:
  MistakeDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

/// `text at <this file>:<line>`, where the line is that of the call.
std::string bug(const std::string& text, int line) {
  return "BUG: " + text + ".* at .*mistakes_test.cpp:" + std::to_string(line) + "\n";
}

// Each of these is one line, so that it is the line of the call.
// clang-format off
void join_itself(weft::JoinHandle<void>*& self) { self->join_uncancellable(); }
constexpr int kJoinItself = __LINE__ - 1;
void unlock(weft::SharedMutex& mutex) { mutex.unlock(); }
constexpr int kUnlock = __LINE__ - 1;
void unlock_shared(weft::SharedMutex& mutex) { mutex.unlock_shared(); }
constexpr int kUnlockShared = __LINE__ - 1;
void release(weft::Semaphore& semaphore) { semaphore.release(weft::Semaphore::max()); }
constexpr int kRelease = __LINE__ - 1;
void unlock(weft::Mutex& mutex) { mutex.unlock(); }
constexpr int kUnlockMutex = __LINE__ - 1;
using Lock = std::unique_lock<weft::Mutex>;
void wait(weft::ConditionVariable& changed, Lock& lock) { changed.wait_uncancellable(lock); }
constexpr int kWait = __LINE__ - 1;
void bind() { (void)weft::net::TcpListener::bind("127.0.0.1:0"); }
constexpr int kBind = __LINE__ - 1;
void spawn() { weft::spawn([] {}); }
constexpr int kSpawn = __LINE__ - 1;
void done(weft::WaitGroup& group) { group.done(); }
constexpr int kDone = __LINE__ - 1;
void join_twice(weft::JoinHandle<void>& handle) { handle.join_uncancellable(); }
constexpr int kJoinTwice = __LINE__ - 1;
// clang-format on

TEST_F(MistakeDeathTest, JoinNamesTheCall) {
  EXPECT_DEATH(weft::run([] {
                 auto handle = weft::spawn([] {});
                 join_twice(handle);
                 join_twice(handle);
               }),
               bug("join\\(\\) of an empty join handle", kJoinTwice));
  EXPECT_DEATH(weft::run([] {
                 weft::JoinHandle<void>* self = nullptr;
                 auto handle = weft::spawn([&] { join_itself(self); });
                 self = &handle;
                 weft::sleep(10s);
               }),
               bug("a fiber joins itself", kJoinItself));
}

TEST_F(MistakeDeathTest, LocksNameTheCall) {
  weft::SharedMutex shared;
  EXPECT_DEATH(unlock(shared), bug("unlock\\(\\) of a shared mutex", kUnlock));
  EXPECT_DEATH(unlock_shared(shared), bug("unlock_shared\\(\\) of a shared mutex", kUnlockShared));
  weft::Mutex mutex;
  EXPECT_DEATH(unlock(mutex), bug("unlock\\(\\) of a mutex", kUnlockMutex));
  weft::ConditionVariable changed;
  Lock lock(mutex, std::defer_lock);
  EXPECT_DEATH(wait(changed, lock), bug("a condition variable is waited for without its mutex", kWait));
}

TEST_F(MistakeDeathTest, CountersNameTheCall) {
  weft::Semaphore semaphore(1);
  EXPECT_DEATH(release(semaphore), bug("", kRelease));
  weft::WaitGroup group;
  EXPECT_DEATH(done(group), bug("", kDone));
}

TEST_F(MistakeDeathTest, ACallOutsideOfFibersSaysWhereItBelongs) {
  EXPECT_DEATH(bind(),
               bug("TcpListener::bind\\(\\) outside of every fiber: call it inside weft::run\\(\\)", kBind));
  EXPECT_DEATH(spawn(), bug("spawn\\(\\) outside of every fiber: call it inside weft::run\\(\\)", kSpawn));
}

TEST_F(MistakeDeathTest, TheWayToItIsShown) {
  weft::SharedMutex shared;
  EXPECT_DEATH(unlock(shared), "unlock.* at .*mistakes_test.cpp:[0-9]+\n(.*\n)*.*TheWayToItIsShown");
}

TEST_F(MistakeDeathTest, AFiberIsNumberedOnce) {
  weft::SharedMutex shared;
  EXPECT_DEATH(weft::run([&] {
                 auto unnamed = weft::spawn([] { weft::sleep(10s); });
                 weft::yield();
                 unlock(shared);
               }),
               "weft: fiber #[0-9]+ \"main\" \\(.*\n.*weft: fiber #[0-9]+ \\(128 KiB stack");
}

}  // namespace
