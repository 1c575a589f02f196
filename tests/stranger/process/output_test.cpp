// SPDX-License-Identifier: Apache-2.0
// Programs that are run to their end, with what they read and write.
#include "stranger/process/process.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

namespace {

using namespace stranger;
using namespace std::chrono_literals;

TEST(Output, IsCollectedWithItsErrorsAndTheStatus) {
  in_fiber([] {
    const Output output = shell("echo text; echo problem >&2; exit 3").output().value();
    EXPECT_EQ(output.output, "text\n");
    EXPECT_EQ(output.error, "problem\n");
    EXPECT_EQ(output.status, ExitStatus::of_code(3));
    const Output nothing = Command("true").output().value();
    EXPECT_EQ(nothing.output + nothing.error, "");
    EXPECT_TRUE(nothing.status.success());
  });
}

TEST(Output, OfAnySizeOnBothStreams) {
  in_fiber([] {
    const Output output =
        shell("(head -c 3000000 /dev/zero | tr '\\0' e >&2) & head -c 5000000 /dev/zero | tr '\\0' o; wait")
            .output()
            .value();
    EXPECT_TRUE(output.output == std::string(5'000'000, 'o'));
    EXPECT_TRUE(output.error == std::string(3'000'000, 'e'));
  });
}

TEST(Output, OfWhatIsWrittenAtTheSameTime) {
  in_fiber([] {
    for (const std::size_t size : std::vector<std::size_t>{1, 4095, 4096, 4097, 65'536, 65'537, 8'000'000}) {
      const std::string input = pattern(size);
      const Output output = Command("cat").output({.input = input}).value();
      EXPECT_TRUE(output.output == input) << size;
    }
  });
}

TEST(Output, WithoutInputTheProgramReadsNothing) {
  in_fiber([] {
    EXPECT_EQ(text_of(Command("cat")), "");
    EXPECT_EQ(text_of(Command("cat").standard_input(Stdio::pipe())), "");
    const Place place;
    fill(place / "in", "of a file");
    auto file = weft::fs::File::open(place / "in").value();
    EXPECT_EQ(text_of(Command("cat").standard_input(Stdio::descriptor(file.native_handle()))), "of a file");
  });
}

TEST(Output, AProgramNeedNotReadItsInput) {
  in_fiber([] {
    const std::string input = pattern(4'000'000);
    EXPECT_TRUE(Command("true").output({.input = input}).value().status.success());
    EXPECT_EQ(Command("head", {"-c", "10"}).output({.input = input}).value().output, input.substr(0, 10));
    EXPECT_EQ(shell("exec <&-; echo closed").output({.input = input}).value().output, "closed\n");
  });
}

TEST(Output, MayBeAsLargeAsItsLimit) {
  in_fiber([] {
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 4096, 4097, 65'536, 200'000}) {
      const std::string text = pattern(size);
      const Output output = Command("cat").output({.input = text, .size_max = size}).value();
      EXPECT_TRUE(output.output == text) << size;
    }
    EXPECT_EQ(Command("echo").output({.size_max = SIZE_MAX}).value().output, "\n");
  });
}

TEST(Output, BeyondItsLimitIsAnErrorAndEndsTheProgram) {
  in_fiber([] {
    for (const std::size_t limit : std::vector<std::size_t>{0, 1, 4095, 4096, 65'536}) {
      const auto failed = Command("cat").output({.input = pattern(limit + 1), .size_max = limit});
      EXPECT_EQ(failed.error(), weft::Errc::message_too_large) << limit;
      EXPECT_EQ(failed.message().substr(0, 29), "collecting the output of cat:") << failed.message();
    }
    EXPECT_EQ(shell("yes >&2").output({.size_max = 1000}).error(), weft::Errc::message_too_large);
    EXPECT_FALSE(has_children());
  });
}

TEST(Output, ADeadlineEndsTheProgram) {
  in_fiber([] {
    EXPECT_EQ(Command("sleep", {"1000"}).output({.deadline = 1ms}).error(), weft::Errc::timed_out);
    EXPECT_EQ(Command("yes").output({.size_max = SIZE_MAX, .deadline = 20ms}).error(), weft::Errc::timed_out);
    EXPECT_EQ(Command("sleep", {"1000"}).output({.deadline = weft::Deadline::after(-1s)}).error(),
              weft::Errc::timed_out);
    EXPECT_FALSE(has_children());
  });
}

TEST(Output, ACancelledOneEndsTheProgram) {
  in_fiber([] {
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(Command("sleep", {"1000"}).output().error(), weft::Errc::cancelled);
    EXPECT_EQ(Command("sleep", {"1000"}).run().error(), weft::Errc::cancelled);
    EXPECT_EQ(Command("sleep", {"1000"}).spawn().error(), weft::Errc::cancelled);
    EXPECT_FALSE(has_children());
  });
}

TEST(Output, WhatIsLeftBehindWithTheStreamsIsWaitedFor) {
  in_fiber([] {
    const Output output =
        shell("(read line; echo late) & echo early").standard_input(Stdio::pipe()).output().value();
    EXPECT_TRUE(output.output == "early\nlate\n" || output.output == "late\nearly\n") << output.output;
  });
}

TEST(Run, EndsWithItsDeadline) {
  in_fiber([] {
    EXPECT_EQ(Command("sleep", {"1000"}).run(1ms).error(), weft::Errc::timed_out);
    EXPECT_FALSE(has_children());
    EXPECT_TRUE(Command("true").run(weft::Deadline::after(1h)).value().success());
  });
}

}  // namespace
