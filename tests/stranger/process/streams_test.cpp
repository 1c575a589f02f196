// SPDX-License-Identifier: Apache-2.0
// The standard streams of a process.
#include "stranger/process/process.hpp"

#include <weft/fs/file.hpp>
#include <weft/io/copy.hpp>
#include <weft/select.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace stranger;

std::string rest_of(weft::io::PipeReader& pipe) {
  std::string text;
  char piece[4096];
  for (;;) {
    const auto read = pipe.read_some(piece);
    if (!read) {
      EXPECT_EQ(read.error(), weft::Errc::end_of_file);
      return text;
    }
    text.append(piece, *read);
  }
}

TEST(Streams, ArePipesBothWays) {
  in_fiber([] {
    Child child = shell("read line; echo \"out $line\"; echo \"err $line\" >&2")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .standard_error(Stdio::pipe())
                      .spawn()
                      .value();
    EXPECT_TRUE(child.input().is_open() && child.output().is_open() && child.error().is_open());
    EXPECT_GT(child.id(), 0);
    child.input().write_all("hello\n").value();
    EXPECT_EQ(rest_of(child.output()), "out hello\n");
    EXPECT_EQ(rest_of(child.error()), "err hello\n");
    EXPECT_TRUE(child.wait().value().success());
  });
}

TEST(Streams, ThatAreNoPipesAreClosedHere) {
  in_fiber([] {
    Child child = Command("true").standard_output(Stdio::null()).spawn().value();
    EXPECT_FALSE(child.input().is_open() || child.output().is_open() || child.error().is_open());
    char byte[1];
    EXPECT_EQ(child.output().read_some(byte).error(), weft::Errc::closed);
    EXPECT_TRUE(child.wait().value().success());
  });
}

TEST(Streams, AreNothingIfNull) {
  in_fiber([] {
    Child child = shell("cat && echo lost && echo lost >&2")
                      .standard_input(Stdio::null())
                      .standard_output(Stdio::null())
                      .standard_error(Stdio::null())
                      .spawn()
                      .value();
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
    EXPECT_EQ(text_of(shell("readlink /proc/self/fd/0").standard_input(Stdio::null())), "/dev/null\n");
  });
}

TEST(Streams, OfFiles) {
  in_fiber([] {
    const Place place;
    fill(place / "in", "some text");
    auto input = weft::fs::File::open(place / "in").value();
    auto output = weft::fs::File::create(place / "out").value();
    Command command = shell("cat; echo problem >&2");
    command.standard_input(Stdio::descriptor(input.native_handle()));
    command.standard_output(Stdio::descriptor(output.native_handle()));
    command.standard_error(Stdio::descriptor(output.native_handle()));
    EXPECT_TRUE(command.run().value().success());
    EXPECT_EQ(content(place / "out"), "some textproblem\n");
    EXPECT_TRUE(input.is_open() && output.is_open());
  });
}

TEST(Streams, ErrorGoesWhereOutputGoes) {
  in_fiber([] {
    const std::string script = "echo 1; echo 2 >&2; echo 3; echo 4 >&2";
    const auto both = shell(script).standard_error(Stdio::to_output()).output().value();
    EXPECT_EQ(both.output, "1\n2\n3\n4\n");
    EXPECT_EQ(both.error, "");
    const Place place;
    auto file = weft::fs::File::create(place / "both").value();
    Command to_file = shell(script);
    to_file.standard_output(Stdio::descriptor(file.native_handle())).standard_error(Stdio::to_output());
    EXPECT_TRUE(to_file.run().value().success());
    EXPECT_EQ(content(place / "both"), "1\n2\n3\n4\n");
  });
}

TEST(Streams, WaitInTheChildAsProgramsExpectAndNotHere) {
  in_fiber([] {
    // The flags of the open files, in octal; 04000 is O_NONBLOCK.
    Child child = shell("for i in 0 1 2; do grep flags /proc/self/fdinfo/$i; done")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .standard_error(Stdio::pipe())
                      .spawn()
                      .value();
    EXPECT_NE(::fcntl(child.input().native_handle(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(child.output().native_handle(), F_GETFL) & O_NONBLOCK, 0);
    const std::string flags = rest_of(child.output());
    EXPECT_EQ(flags, "flags:\t00\nflags:\t01\nflags:\t01\n");
    EXPECT_TRUE(child.wait().value().success());
  });
}

TEST(Streams, AnEndMayOutliveTheChild) {
  in_fiber([] {
    weft::io::PipeReader output;
    {
      Child child = Command("echo", {"kept"}).standard_output(Stdio::pipe()).spawn().value();
      output = std::move(child.output());
      EXPECT_TRUE(child.wait().value().success());
    }
    EXPECT_EQ(rest_of(output), "kept\n");
  });
}

TEST(Streams, OfTwoProgramsAreConnectedByCopy) {
  in_fiber([] {
    Child source = Command("seq", {"1", "20000"}).standard_output(Stdio::pipe()).spawn().value();
    Child sink = Command("tail", {"-n", "1"})
                     .standard_input(Stdio::pipe())
                     .standard_output(Stdio::pipe())
                     .spawn()
                     .value();
    EXPECT_EQ(weft::io::copy(source.output(), sink.input()).value(), 108'894u);
    EXPECT_TRUE(source.wait().value().success());
    EXPECT_TRUE(sink.input().close());
    EXPECT_EQ(rest_of(sink.output()), "20000\n");
    EXPECT_TRUE(sink.wait().value().success());
  });
}

TEST(Streams, WritingToAProgramThatHasEndedIsEpipe) {
  in_fiber([] {
    Child child = Command("true").standard_input(Stdio::pipe()).spawn().value();
    EXPECT_TRUE(weft::select(weft::readable(child, [] {})));  // it has ended, and has closed its own end
    EXPECT_EQ(child.input().write_all("nobody reads it").error(), system_error(EPIPE));
    EXPECT_TRUE(child.wait().value().success());
  });
}

TEST(Streams, OfRunHaveNobodyAtTheOtherEnd) {
  in_fiber([] {
    EXPECT_TRUE(Command("cat").standard_input(Stdio::pipe()).run().value().success());
    EXPECT_EQ(Command("yes").standard_output(Stdio::pipe()).run().value(), ExitStatus::of_signal(SIGPIPE));
  });
}

}  // namespace
