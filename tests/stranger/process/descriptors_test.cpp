// SPDX-License-Identifier: Apache-2.0
// Which descriptors a process gets.
#include "stranger/process/process.hpp"

#include <weft/fs/file.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <functional>
#include <sstream>
#include <unistd.h>

namespace {

using namespace stranger;

/// A descriptor of the test's, closed at the end.
class Number {
 public:
  explicit Number(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Number() { ::close(fd_); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

/// The numbers that a process has open, but for the one with which it reads their names.
std::vector<int> open_in(Command command) {
  command.arguments({"-c", "for i in /proc/self/fd/*; do [ -e $i ] && echo ${i##*/}; done"});
  std::istringstream text(text_of(command));
  std::vector<int> numbers;
  for (int number = 0; text >> number;) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// While it lives, 0 to 2 are what `change` makes of them. No output of GoogleTest meanwhile.
class ChangedStandardStreams {
 public:
  explicit ChangedStandardStreams(const std::function<void()>& change) {
    for (int i = 0; i < 3; ++i) saved_[static_cast<std::size_t>(i)] = ::fcntl(i, F_DUPFD_CLOEXEC, 100);
    change();
  }
  ~ChangedStandardStreams() {
    for (int i = 0; i < 3; ++i) {
      ::dup2(saved_[static_cast<std::size_t>(i)], i);
      ::close(saved_[static_cast<std::size_t>(i)]);
    }
  }
  ChangedStandardStreams(const ChangedStandardStreams&) = delete;
  ChangedStandardStreams& operator=(const ChangedStandardStreams&) = delete;

 private:
  std::array<int, 3> saved_{};
};

TEST(Descriptors, ThatThisProgramHasForgottenAreNotInherited) {
  const Number forgotten(::open("/dev/null", O_RDONLY));  // no O_CLOEXEC
  in_fiber([&] {
    const std::vector<int> standard{0, 1, 2};
    EXPECT_EQ(open_in(Command("/bin/bash")), standard);
    const std::vector<int> numbers = open_in(Command("/bin/bash").inherit_descriptors(true));
    EXPECT_NE(std::find(numbers.begin(), numbers.end(), forgotten), numbers.end());
  });
  // The flag of this program's own is as it was.
  EXPECT_EQ(::fcntl(forgotten, F_GETFD), 0);
}

TEST(Descriptors, ArePassedAsAnyNumber) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "text of a");
    fill(place / "b", "text of b");
    const Number a(::open((place / "a").c_str(), O_RDONLY | O_CLOEXEC));
    const Number b(::open((place / "b").c_str(), O_RDONLY | O_CLOEXEC));
    Command command = shell("cat <&7; echo; cat <&9");
    EXPECT_EQ(text_of(command.pass_descriptor(a, 7).pass_descriptor(b, 9)), "text of a\ntext of b");
    EXPECT_EQ(open_in(Command("/bin/bash").pass_descriptor(a, 7)), (std::vector<int>{0, 1, 2, 7}));
    EXPECT_EQ(::fcntl(a, F_GETFD), FD_CLOEXEC);
  });
}

TEST(Descriptors, ArePassedAsTheirOwnNumber) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "text of a");
    const Number a(::open((place / "a").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(text_of(shell("cat <&" + std::to_string(a)).pass_descriptor(a, a)), "text of a");
    EXPECT_EQ(::fcntl(a, F_GETFD), FD_CLOEXEC);
  });
}

TEST(Descriptors, ThatChangePlacesAllArrive) {
  in_fiber([] {
    const Place place;
    std::vector<std::unique_ptr<Number>> files;
    for (const char* const name : {"a", "b", "c"}) {
      fill(place / name, name);
      files.push_back(std::make_unique<Number>(
          ::fcntl(Number(::open((place / name).c_str(), O_RDONLY | O_CLOEXEC)), F_DUPFD_CLOEXEC, 5)));
    }
    const int a = *files[0], b = *files[1], c = *files[2];
    // a to b's, b to c's, c to a's number.
    Command command("/bin/bash", {"-c", "cat <&$0; cat <&$1; cat <&$2", std::to_string(b), std::to_string(c),
                                  std::to_string(a)});
    command.pass_descriptor(a, b).pass_descriptor(b, c).pass_descriptor(c, a);
    EXPECT_EQ(text_of(command), "abc");
    // One in two places, one of them its own.
    EXPECT_EQ(::lseek(a, 0, SEEK_SET), 0);
    Command twice("/bin/bash", {"-c", "cat <&$0; cat <&$1", std::to_string(a), std::to_string(b)});
    twice.pass_descriptor(a, b).pass_descriptor(a, a);
    EXPECT_EQ(text_of(twice), "a");  // they share the position
  });
}

TEST(Descriptors, TheStandardOnesMayBeExchanged) {
  ExitStatus status;
  const Place place;
  {
    const int output = ::open((place / "1").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int error = ::open((place / "2").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const ChangedStandardStreams changed([&] { ::dup2(output, 1), ::dup2(error, 2); });
    in_fiber([&] {
      Command command = shell("echo output; echo error >&2");
      command.standard_output(Stdio::descriptor(2)).standard_error(Stdio::descriptor(1));
      status = command.run().value();
    });
    ::close(output);
    ::close(error);
  }
  EXPECT_TRUE(status.success());
  EXPECT_EQ(content(place / "1"), "error\n");
  EXPECT_EQ(content(place / "2"), "output\n");
}

TEST(Descriptors, AStandardOneThatIsCloseOnExecIsPassedAllTheSame) {
  std::string text;
  {
    const ChangedStandardStreams changed([] { ::fcntl(2, F_SETFD, FD_CLOEXEC); });
    in_fiber([&] {
      Command command("/bin/bash");
      command.arguments({"-c", "[ -e /proc/self/fd/2 ] && echo there || echo closed"});
      text = command.output().value().output;  // a pipe
      text += command.standard_error(Stdio::descriptor(2)).output().value().output;
      text += command.standard_error(Stdio::inherit()).output().value().output;
    });
  }
  EXPECT_EQ(text, "there\nthere\nclosed\n");
}

TEST(Descriptors, WorkWhenTheStandardOnesAreClosedHere) {
  std::string text, error;
  std::vector<std::string> numbers;
  ExitStatus status;
  {
    // The pipes, and the library's own descriptors, get these numbers.
    const ChangedStandardStreams changed([] { ::close(0), ::close(1), ::close(2); });
    in_fiber([&] {
      const Output output = shell("cat; echo error >&2").output({.input = "through"}).value();
      text = output.output;
      error = output.error;
      Command command("/bin/bash", {"-c", "for i in 0 1 2; do [ -e /proc/$$/fd/$i ] && echo $i; done; true"});
      numbers.push_back(command.output().value().output);
      numbers.push_back(command.standard_error(Stdio::null()).output().value().output);
      numbers.push_back(command.standard_error(Stdio::inherit()).output().value().output);
      command.standard_input(Stdio::inherit());
      numbers.push_back(command.output().value().output);
      status = Command("true").run().value();
    });
  }
  EXPECT_EQ(text, "through");
  EXPECT_EQ(error, "error\n");
  EXPECT_EQ(numbers, (std::vector<std::string>{"0\n1\n2\n", "0\n1\n2\n", "0\n1\n", "1\n"}));
  EXPECT_TRUE(status.success());
}

TEST(DescriptorErrors, NameTheNumber) {
  in_fiber([] {
    const int closed = ::fcntl(0, F_DUPFD_CLOEXEC, 500);
    ::close(closed);
    const auto missing = Command("true").pass_descriptor(closed, 7).run();
    EXPECT_EQ(missing.error(), system_error(EBADF));
    EXPECT_EQ(missing.message(), "passing a descriptor as 7: Bad file descriptor");
    EXPECT_EQ(Command("true").pass_descriptor(closed, closed).run().error(), system_error(EBADF));
    EXPECT_EQ(Command("true").pass_descriptor(-1, 7).run().error(), system_error(EBADF));
    EXPECT_EQ(Command("true").pass_descriptor(1, -7).run().error(), system_error(EBADF));
    EXPECT_EQ(Command("true").standard_output(Stdio::descriptor(-1)).run().error(), system_error(EBADF));
    const auto twice = Command("true").pass_descriptor(1, 7).pass_descriptor(2, 7).run();
    EXPECT_EQ(twice.error(), system_error(EINVAL));
    EXPECT_EQ(twice.message(), "passing two descriptors as 7: Invalid argument");
    EXPECT_EQ(Command("true").standard_output(Stdio::null()).pass_descriptor(2, 1).run().error(),
              system_error(EINVAL));
    EXPECT_EQ(Command("true").pass_descriptor(1, 1 << 30).run().error(), system_error(EBADF));
    EXPECT_FALSE(has_children());
  });
}

}  // namespace
