// SPDX-License-Identifier: Apache-2.0
// What a program gets from a command, and what is said if it cannot be started.
#include "stranger/process/process.hpp"

#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace stranger;
using namespace std::string_literals;

/// Of a program with that name, in a directory of its own, that prints `text`.
std::string make_program(const std::string& path, const std::string& text, mode_t mode = 0755) {
  fill(path, "#!/bin/sh\necho " + text + "\n");
  EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  return path;
}

TEST(Command, ReturnsTheExitStatus) {
  in_fiber([] {
    EXPECT_EQ(Command("true").run().value(), ExitStatus::of_code(0));
    EXPECT_EQ(Command("/bin/false").run().value(), ExitStatus::of_code(1));
    EXPECT_TRUE(Command("true").run().value().success());
    EXPECT_FALSE(Command("false").run().value().success());
  });
}

TEST(Command, ArgumentsArePassedAsTheyAre) {
  in_fiber([] {
    Command command("printf", {"<%s>", "a b", "", "$HOME;`id`", "'\"\\", "line\nline", "-n"});
    command.argument("*").arguments({"é", "last"});
    EXPECT_EQ(text_of(command), "<a b><><$HOME;`id`><'\"\\><line\nline><-n><*><é><last>");
  });
}

TEST(Command, IsADescriptionThatCanBeUsedAgain) {
  in_fiber([] {
    const Command command("echo", {"again"});
    const Command copy = command;
    EXPECT_EQ(text_of(command), "again\n");
    EXPECT_EQ(text_of(command), "again\n");
    EXPECT_EQ(text_of(copy), "again\n");
  });
}

TEST(Command, TheProgramSeesTheNameItIsGiven) {
  in_fiber([] {
    EXPECT_EQ(text_of(shell("echo $0").argument_zero("my name")), "my name\n");
    EXPECT_EQ(text_of(Command("sh", {"-c", "echo $0"})), "sh\n");
  });
}

TEST(Command, TheEnvironmentIsInherited) {
  ASSERT_EQ(::setenv("WEFT_TEST_INHERITED", "from here", 1), 0);
  in_fiber([] { EXPECT_EQ(text_of(shell("echo $WEFT_TEST_INHERITED")), "from here\n"); });
}

TEST(Command, TheEnvironmentIsChangedForTheProgramOnly) {
  ASSERT_EQ(::setenv("WEFT_TEST_A", "a", 1), 0);
  ASSERT_EQ(::setenv("WEFT_TEST_B", "b", 1), 0);
  in_fiber([] {
    Command command = shell("echo \"$WEFT_TEST_A,${WEFT_TEST_B-unset},$WEFT_TEST_C\"");
    command.set_environment("WEFT_TEST_A", "x=y z").unset_environment("WEFT_TEST_B");
    command.set_environment("WEFT_TEST_C", "first").set_environment("WEFT_TEST_C", "second");
    EXPECT_EQ(text_of(command), "x=y z,unset,second\n");
    EXPECT_STREQ(std::getenv("WEFT_TEST_A"), "a");
    EXPECT_STREQ(std::getenv("WEFT_TEST_B"), "b");
    EXPECT_EQ(std::getenv("WEFT_TEST_C"), nullptr);
  });
}

TEST(Command, AClearedEnvironmentHasWhatIsSetAfterwards) {
  in_fiber([] {
    Command command("/usr/bin/env");
    command.set_environment("BEFORE", "1").clear_environment();
    EXPECT_EQ(text_of(command), "");
    command.set_environment("ONLY", "").set_environment("TWO", "2");
    EXPECT_EQ(text_of(command), "ONLY=\nTWO=2\n");
  });
}

TEST(Command, RunsInItsDirectory) {
  const std::filesystem::path before = std::filesystem::current_path();
  in_fiber([] {
    const Place place;
    EXPECT_EQ(text_of(Command("pwd", {"-P"}).directory("/")), "/\n");
    // A path of the program is relative to it.
    make_program(place / "program", "here");
    EXPECT_EQ(text_of(Command("./program").directory(place.path())), "here\n");
  });
  EXPECT_EQ(std::filesystem::current_path(), before);
}

TEST(Command, IsLookedForInThePathOfTheNewProcess) {
  in_fiber([] {
    const Place place;
    ::mkdir((place / "one").c_str(), 0755);
    ::mkdir((place / "two").c_str(), 0755);
    make_program(place / "two/weft-test-tool", "two");
    Command command("weft-test-tool");
    EXPECT_EQ(command.output().error(), system_error(ENOENT));
    command.set_environment("PATH", "/missing:" + (place / "one") + ":" + (place / "two") + ":/bin");
    EXPECT_EQ(text_of(command), "two\n");
    // One that may not be executed is passed over.
    make_program(place / "one/weft-test-tool", "one", 0644);
    EXPECT_EQ(text_of(command), "two\n");
    ::chmod((place / "one/weft-test-tool").c_str(), 0755);
    EXPECT_EQ(text_of(command), "one\n");
  });
}

TEST(Command, RelativeAndEmptyEntriesOfPathAreSkipped) {
  in_fiber([] {
    const Place place;
    make_program(place / "weft-test-tool", "trap");
    Command command("weft-test-tool");
    command.directory(place.path());
    for (const char* path : {".", "", "::", "./", ":/missing:.", "/missing:"}) {
      command.set_environment("PATH", path);
      EXPECT_EQ(command.output().error(), system_error(ENOENT)) << path;
    }
    command.set_environment("PATH", ".:" + place.path());
    EXPECT_EQ(text_of(command), "trap\n");
  });
}

TEST(Command, WithoutPathTheSystemsDirectoriesAreSearched) {
  in_fiber([] { EXPECT_EQ(text_of(Command("echo", {"found"}).clear_environment()), "found\n"); });
}

TEST(CommandErrors, NameTheProgram) {
  in_fiber([] {
    const auto missing = Command("weft-no-such-program").spawn();
    EXPECT_EQ(missing.error(), system_error(ENOENT));
    EXPECT_EQ(missing.message(), "starting weft-no-such-program: No such file or directory");
    EXPECT_EQ(Command("/missing/program").run().message(),
              "starting /missing/program: No such file or directory");
    EXPECT_EQ(Command("").output().error(), system_error(ENOENT));
    EXPECT_FALSE(has_children());
  });
}

TEST(CommandErrors, AreThoseOfExec) {
  in_fiber([] {
    const Place place;
    const std::string plain = make_program(place / "plain", "text", 0644);
    EXPECT_EQ(Command(plain).run().error(), system_error(EACCES));
    EXPECT_EQ(Command(place.path()).run().error(), system_error(EACCES));
    EXPECT_EQ(Command(plain + "/below").run().error(), system_error(ENOTDIR));
    fill(place / "garbage", "\x01\x02");
    ::chmod((place / "garbage").c_str(), 0755);
    EXPECT_EQ(Command(place / "garbage").run().error(), system_error(ENOEXEC));
    fill(place / "odd", "#!/missing/interpreter\n");
    ::chmod((place / "odd").c_str(), 0755);
    EXPECT_EQ(Command(place / "odd").run().error(), system_error(ENOENT));
    // One in PATH that may not be executed, and no other.
    Command command("plain");
    EXPECT_EQ(command.set_environment("PATH", place.path() + ":/missing").run().error(),
              system_error(EACCES));
    EXPECT_FALSE(has_children());
  });
}

TEST(CommandErrors, ArgumentsThatAreTooLarge) {
  in_fiber([] {
    Command command("true");
    EXPECT_EQ(command.argument(std::string(1 << 20, 'x')).run().error(), system_error(E2BIG));
    EXPECT_EQ(Command("true").set_environment("A", std::string(1 << 20, 'x')).run().error(),
              system_error(E2BIG));
  });
}

TEST(CommandErrors, ADirectoryThatIsNotThere) {
  in_fiber([] {
    const auto failed = Command("true").directory("/missing/directory").run();
    EXPECT_EQ(failed.error(), system_error(ENOENT));
    EXPECT_EQ(failed.message(), "changing to the directory /missing/directory: No such file or directory");
    EXPECT_EQ(Command("true").directory("/dev/null").run().error(), system_error(ENOTDIR));
  });
}

TEST(CommandErrors, TextsThatNoProgramCanGet) {
  in_fiber([] {
    const std::error_code invalid = system_error(EINVAL);
    EXPECT_EQ(Command("tr\0ue"s).run().error(), invalid);
    EXPECT_EQ(Command("true", {"a\0b"s}).run().error(), invalid);
    EXPECT_EQ(Command("true").argument_zero("a\0b"s).run().error(), invalid);
    EXPECT_EQ(Command("true").directory("/\0"s).run().error(), invalid);
    EXPECT_EQ(Command("true").set_environment("", "x").run().error(), invalid);
    EXPECT_EQ(Command("true").set_environment("A=B", "x").run().error(), invalid);
    EXPECT_EQ(Command("true").set_environment("A", "x\0"s).run().error(), invalid);
    EXPECT_EQ(Command("true").set_environment("A=B", "x").run().message(),
              "setting the variable A=B: Invalid argument");
    EXPECT_EQ(Command("true").die_with_parent(1000).run().error(), invalid);
    EXPECT_EQ(Command("true").standard_input(Stdio::to_output()).run().error(), invalid);
  });
}

}  // namespace
