// SPDX-License-Identifier: Apache-2.0
// A Unix listener and the file at its path.
#include "stranger/net/unix.hpp"

#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace {

using namespace std::chrono_literals;
using stranger::exists;
using stranger::of_errno;
using stranger::own_name;
using stranger::ScratchDirectory;
using weft::Deadline;
using weft::Errc;
using weft::net::UnixAddress;
using weft::net::UnixListener;
using weft::net::UnixStream;

/// A socket that is bound to `path` and listens, made without weft.
int plain_listener(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(fd, 16), 0);
  return fd;
}

TEST(UnixListenerFile, IsRemovedByCloseAndByTheDestructor) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    auto listener = UnixListener::bind(path).value();
    EXPECT_TRUE(exists(path));
    EXPECT_TRUE(listener.is_open());
    EXPECT_TRUE(listener.close());
    EXPECT_FALSE(exists(path));
    EXPECT_FALSE(listener.is_open());
    EXPECT_EQ(listener.close().error(), Errc::closed);
    EXPECT_EQ(listener.accept().error(), Errc::closed);
    EXPECT_EQ(listener.try_accept().error(), Errc::closed);
    EXPECT_EQ(listener.native_handle(), -1);
    EXPECT_EQ(listener.local_name(), "");
    { const auto again = UnixListener::bind(path).value(); }
    EXPECT_FALSE(exists(path));
  });
}

TEST(UnixListenerFile, MovesWithTheListener) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string one = directory / "one";
    const std::string two = directory / "two";
    auto first = UnixListener::bind(one).value();
    {
      UnixListener moved(std::move(first));
      EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move)
      EXPECT_EQ(first.close().error(), Errc::closed);
      EXPECT_TRUE(exists(one));
      first = std::move(moved);
    }
    EXPECT_TRUE(exists(one)) << "the moved-from listener has removed nothing";
    auto second = UnixListener::bind(two).value();
    first = std::move(second);
    EXPECT_FALSE(exists(one)) << "what was assigned over is closed";
    EXPECT_TRUE(exists(two));
    auto client = UnixStream::connect(two).value();
    EXPECT_TRUE(first.accept());
    auto* const same = &first;
    first = std::move(*same);
    EXPECT_TRUE(first.is_open());
    EXPECT_TRUE(exists(two));
  });
}

TEST(UnixListenerFile, OfSomebodyElseIsLeftAlone) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    auto old = UnixListener::bind(path).value();
    ASSERT_EQ(::unlink(path.c_str()), 0);
    auto successor = UnixListener::bind(path).value();
    EXPECT_TRUE(old.close());
    EXPECT_TRUE(exists(path)) << "it is the successor's";
    auto client = UnixStream::connect(path).value();
    EXPECT_TRUE(successor.accept());

    ASSERT_EQ(::unlink(path.c_str()), 0);
    std::ofstream(path) << "data";
    EXPECT_TRUE(successor.close());
    EXPECT_TRUE(exists(path));

    const std::string moved = directory / "moved";
    auto renamed = UnixListener::bind(moved).value();
    ASSERT_EQ(::rename(moved.c_str(), (directory / "elsewhere").c_str()), 0);
    EXPECT_TRUE(renamed.close());
    EXPECT_TRUE(exists(directory / "elsewhere"));
  });
}

// docs/guide/fork.md: close() and the destructor close the child's copy; the parent does not notice.
TEST(UnixListenerFile, IsNotRemovedByAChildOfFork) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    auto listener = UnixListener::bind(path).value();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(listener.close() ? 0 : 1);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(exists(path));
    auto client = UnixStream::connect(path).value();
    EXPECT_TRUE(listener.accept());
    EXPECT_TRUE(listener.close());
    EXPECT_FALSE(exists(path));
  });
}

TEST(UnixListenerFile, HasTheModeThatWasAskedFor) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const auto mode_of = [](const std::string& path) {
      struct stat status {};
      EXPECT_EQ(::stat(path.c_str(), &status), 0);
      EXPECT_TRUE(S_ISSOCK(status.st_mode));
      return status.st_mode & 07777u;
    };
    const mode_t before = ::umask(0027);
    auto usual = UnixListener::bind(directory / "usual").value();
    auto group = UnixListener::bind(directory / "group", {.mode = 0660}).value();
    auto none = UnixListener::bind(directory / "none", {.mode = 0}).value();
    auto all = UnixListener::bind(directory / "all", {.mode = 0777}).value();
    ::umask(before);
    EXPECT_EQ(mode_of(directory / "usual"), 0750u);
    EXPECT_EQ(mode_of(directory / "group"), 0660u);
    EXPECT_EQ(mode_of(directory / "none"), 0u);
    EXPECT_EQ(mode_of(directory / "all"), 0777u);
    EXPECT_TRUE(UnixListener::bind(own_name("mode"), {.mode = 0600})) << "an abstract name has no file";
    if (::getuid() != 0) {
      const auto refused = UnixStream::connect(directory / "none");
      EXPECT_EQ(refused.error(), of_errno(EACCES));
      EXPECT_EQ(refused.message(), "connecting to " + (directory / "none") + ": Permission denied");
    }
  });
}

TEST(UnixListenerReplace, TakesTheFileOfADeadListenerOnly) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    ::close(plain_listener(path));
    EXPECT_TRUE(exists(path)) << "as a process leaves it that has died";
    EXPECT_EQ(UnixListener::bind(path).error(), of_errno(EADDRINUSE));
    auto listener = UnixListener::bind(path, {.replace_stale = true}).value();
    auto client = UnixStream::connect(path).value();
    EXPECT_TRUE(listener.accept());

    const auto second = UnixListener::bind(path, {.replace_stale = true});
    EXPECT_EQ(second.error(), of_errno(EADDRINUSE)) << "somebody listens";
    EXPECT_TRUE(exists(path));
    EXPECT_TRUE(listener.close());
    EXPECT_FALSE(exists(path)) << "it was this listener's";

    std::ofstream(path) << "precious";
    const auto file = UnixListener::bind(path, {.replace_stale = true});
    EXPECT_EQ(file.error(), of_errno(EADDRINUSE));
    std::string content;
    std::ifstream(path) >> content;
    EXPECT_EQ(content, "precious");
    EXPECT_TRUE(UnixListener::bind(directory / "new", {.replace_stale = true}));
  });
}

TEST(UnixListenerReplace, LeavesAListenerWhoseBacklogIsFull) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    auto listener = UnixListener::bind(path, {.backlog = 0}).value();
    auto queued = UnixStream::connect(path).value();
    EXPECT_EQ(UnixListener::bind(path, {.replace_stale = true}).error(), of_errno(EADDRINUSE));
    EXPECT_TRUE(exists(path));
    EXPECT_TRUE(listener.accept());
  });
}

// The file that a symbolic link names may be precious, and the link itself, too.
TEST(UnixListenerReplace, LeavesASymbolicLink) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    ::close(plain_listener(directory / "dead"));
    ASSERT_EQ(::symlink((directory / "dead").c_str(), (directory / "link").c_str()), 0);
    EXPECT_EQ(UnixListener::bind(directory / "link", {.replace_stale = true}).error(), of_errno(EADDRINUSE));
    EXPECT_TRUE(exists(directory / "link"));
    EXPECT_TRUE(exists(directory / "dead"));
  });
}

TEST(UnixListener, SaysWhichAddressAnErrorIsAbout) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    const auto listener = UnixListener::bind(path).value();
    EXPECT_EQ(UnixListener::bind(path).message(), "listening at " + path + ": Address already in use");
    const std::string nowhere = directory / "none/s";
    EXPECT_EQ(UnixListener::bind(nowhere).error(), of_errno(ENOENT));
    EXPECT_EQ(UnixListener::bind(nowhere).message(),
              "listening at " + nowhere + ": No such file or directory");
    EXPECT_EQ(UnixStream::connect(nowhere).message(),
              "connecting to " + nowhere + ": No such file or directory");
    ::close(plain_listener(directory / "dead"));
    EXPECT_EQ(UnixStream::connect(directory / "dead").message(),
              "connecting to " + (directory / "dead") + ": Connection refused");
    const std::string none = own_name("none");
    EXPECT_EQ(UnixStream::connect(none).error(), of_errno(ECONNREFUSED));
    EXPECT_EQ(UnixStream::connect(none).message(), "connecting to " + none + ": Connection refused");
    EXPECT_EQ(UnixListener::bind("").error(), Errc::invalid_address);
    EXPECT_EQ(UnixListener::bind(UnixAddress()).error(), Errc::invalid_address);
    EXPECT_EQ(UnixStream::connect(UnixAddress()).error(), Errc::invalid_address);
    const std::string long_path(108, 'p');
    EXPECT_EQ(UnixListener::bind(long_path).error(), Errc::invalid_address);
    EXPECT_NE(UnixListener::bind(long_path).message().find(long_path), std::string::npos);
    EXPECT_NE(UnixStream::connect(long_path).message().find(long_path), std::string::npos);
    EXPECT_EQ(UnixListener::bind(own_name("b"), {.backlog = -1}).error(), of_errno(EINVAL));
    const auto taken = UnixListener::bind(own_name("taken")).value();
    EXPECT_EQ(UnixListener::bind(own_name("taken"), {.replace_stale = true}).error(), of_errno(EADDRINUSE));
    if (::getuid() != 0) {
      EXPECT_EQ(UnixListener::bind("/weft-test.sock").message(),
                "listening at /weft-test.sock: Permission denied");
    }
  });
}

TEST(UnixListener, AdoptsASocketThatListensAndLeavesItsFile) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    const int fd = plain_listener(path);
    auto listener = UnixListener::adopt(fd).value();
    EXPECT_EQ(listener.native_handle(), fd);
    EXPECT_EQ(listener.local_name(), path);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(listener.try_accept().error(), Errc::would_block);
    auto client = UnixStream::connect(path).value();
    auto server = listener.accept().value();
    EXPECT_TRUE(server.write_all("hi"));
    EXPECT_EQ(stranger::read_text(client, 2), "hi");
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    EXPECT_TRUE(exists(path));
  });
}

TEST(UnixListener, RefusesToAdoptWhatDoesNotListen) {
  stranger::in_fiber([] {
    EXPECT_EQ(UnixListener::adopt(-1).error(), of_errno(EBADF));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    EXPECT_EQ(UnixListener::adopt(ends[0]).error(), of_errno(ENOTSOCK));
    const int stream = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(UnixListener::adopt(stream).error(), of_errno(EINVAL));
    const int datagram = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(UnixListener::adopt(datagram).error(), of_errno(EPROTOTYPE));
    const int packets = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    EXPECT_EQ(UnixListener::adopt(packets).error(), of_errno(EPROTOTYPE));
    const int internet = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(UnixListener::adopt(internet).error(), of_errno(EAFNOSUPPORT));
    for (const int fd : {ends[0], ends[1], stream, datagram, packets, internet}) EXPECT_EQ(::close(fd), 0);
  });
}

TEST(UnixListener, HasDuplicatesOfTheSameQueueThatLeaveTheFile) {
  stranger::in_fiber([] {
    const ScratchDirectory directory;
    const std::string path = directory / "s";
    auto first = UnixListener::bind(path).value();
    auto second = first.duplicate_listener().value();
    EXPECT_EQ(second->local_name(), path);
    auto queued = UnixStream::connect(path).value();
    auto third = second->duplicate_listener().value();
    EXPECT_TRUE(third->close());
    EXPECT_TRUE(exists(path));
    EXPECT_TRUE(first.close());
    EXPECT_FALSE(exists(path));
    auto server = second->accept_stream().value();
    EXPECT_TRUE(server->write_all("kept"));
    EXPECT_EQ(stranger::read_text(queued, 4), "kept");
    EXPECT_EQ(second->try_accept_stream().error(), Errc::would_block);
    EXPECT_EQ(second->stop_admitting().error(), Errc::unsupported);
    EXPECT_EQ(first.duplicate_listener().error(), Errc::closed);
  });
}

TEST(UnixListener, WithoutASocketIsClosed) {
  stranger::in_fiber([] {
    UnixListener none;
    EXPECT_FALSE(none.is_open());
    EXPECT_EQ(none.accept().error(), Errc::closed);
    EXPECT_EQ(none.accept_stream().error(), Errc::closed);
    EXPECT_EQ(none.try_accept().error(), Errc::closed);
    EXPECT_EQ(none.local_address().error(), Errc::closed);
    EXPECT_EQ(none.duplicate_listener().error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
  });
}

}  // namespace
