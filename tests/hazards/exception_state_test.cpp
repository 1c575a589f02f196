// SPDX-License-Identifier: Apache-2.0
// HZ3: C++ exception state belongs to the fiber.
#include "hazards/hop.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace weft {
namespace {

using test::drop_handle;
using test::Hops;
using test::spawn;
using test::TestHome;
using test::TestRunner;

std::string message_of_current() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return exception.what();
  }
}

TEST(ExceptionState, HZ3_TwoFibersSuspendInTheirHandlersAndKeepTheirExceptions) {
  TestHome home;
  TestRunner runner(home);
  const auto body = [](std::string text) {
    return [text] {
      for (int i = 0; i < 10; ++i) {
        try {
          throw std::runtime_error(text + std::to_string(i));
        } catch (const std::runtime_error& error) {
          test::yield();
          EXPECT_EQ(error.what(), text + std::to_string(i));
          EXPECT_EQ(message_of_current(), text + std::to_string(i)) << "throw; must find this fiber's";
          test::yield();
        }
        EXPECT_EQ(std::current_exception(), nullptr);
      }
    };
  };
  Fiber& a = spawn(home, body("a"));
  Fiber& b = spawn(home, body("b"));
  runner.run_until_idle();
  EXPECT_EQ(std::current_exception(), nullptr) << "nothing stays behind on the thread";
  drop_handle(a);
  drop_handle(b);
}

TEST(ExceptionState, TheThreadsOwnHandlerIsNotTheFibers) {
  TestHome home;
  TestRunner runner(home);
  Fiber& fiber = spawn(home, [] {
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  });
  try {
    throw std::runtime_error("of the thread");
  } catch (const std::runtime_error&) {
    runner.run_until_idle();
    EXPECT_EQ(message_of_current(), "of the thread");
  }
  drop_handle(fiber);
}

template <class Suspend>
struct SuspendsWhenDestroyed {
  Suspend& suspend;
  int& seen;

  ~SuspendsWhenDestroyed() {
    const int before = std::uncaught_exceptions();
    suspend();
    seen = std::uncaught_exceptions();
    EXPECT_EQ(before, seen);
  }
};

TEST(ExceptionState, AFiberSuspendsInADestructorDuringUnwinding) {
  TestHome home;
  TestRunner runner(home);
  int seen = -1;
  Fiber& unwinding = spawn(home, [&seen] {
    const auto suspend = [] { test::yield(); };
    try {
      const SuspendsWhenDestroyed<decltype(suspend)> guard{suspend, seen};
      throw std::runtime_error("unwinding");
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "unwinding");
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  });
  int other = -1;
  Fiber& bystander = spawn(home, [&other] { other = std::uncaught_exceptions(); });
  runner.run_until_idle();
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(other, 0) << "the other fiber is not unwinding";
  drop_handle(unwinding);
  drop_handle(bystander);
}

TEST(ExceptionState, AHandlerGoesOnOnAnotherThread) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    for (int i = 0; i < 50; ++i) {
      try {
        throw std::runtime_error(std::to_string(i));
      } catch (const std::runtime_error& error) {
        hop();
        EXPECT_EQ(error.what(), std::to_string(i));
        EXPECT_EQ(message_of_current(), std::to_string(i));
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    }
  });
}

TEST(ExceptionState, HZ3_UnwindingGoesOnOnAnotherThread) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    for (int i = 0; i < 50; ++i) {
      int seen = -1;
      try {
        const SuspendsWhenDestroyed<decltype(hop)> guard{hop, seen};
        throw i;
      } catch (int caught) {
        EXPECT_EQ(caught, i);
      }
      EXPECT_EQ(seen, 1);
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  });
}

TEST(ExceptionState, NestedHandlersSurviveHopsAtEveryLevel) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      hop();
      try {
        throw std::logic_error("inner");
      } catch (const std::logic_error&) {
        hop();
        EXPECT_EQ(message_of_current(), "inner");
      }
      hop();
      EXPECT_EQ(message_of_current(), "outer");
    }
  });
}

TEST(ExceptionState, ManyFibersThrowOnTwoThreadsAtOnce) {
  Hops hops;
  std::vector<Fiber*> fibers;
  for (int id = 0; id < 8; ++id) {
    fibers.push_back(&hops.start([id](auto hop) {
      for (int i = 0; i < 20; ++i) {
        try {
          throw std::runtime_error(std::to_string(id * 1000 + i));
        } catch (const std::runtime_error&) {
          hop();
          EXPECT_EQ(message_of_current(), std::to_string(id * 1000 + i));
        }
      }
    }));
  }
  for (Fiber* fiber : fibers) {
    join_fiber(*fiber, Deadline::never(), WaitWord::Cancellable::kNo);
    drop_handle(*fiber);
  }
}

}  // namespace
}  // namespace weft
