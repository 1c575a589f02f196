// SPDX-License-Identifier: Apache-2.0
// Unix datagram sockets.
#include "udp.hpp"

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::net::UnixAddress;
using weft::net::UnixDatagram;

/// A path that nobody uses; the file is removed in the end.
class ScratchPath {
 public:
  ScratchPath()
      : path_("/tmp/weft-datagram-" + std::to_string(::getpid()) + "-" + std::to_string(++count_)) {}
  ~ScratchPath() { ::unlink(path_.c_str()); }
  ScratchPath(const ScratchPath&) = delete;
  ScratchPath& operator=(const ScratchPath&) = delete;
  const std::string& text() const { return path_; }
  bool exists() const { return std::filesystem::exists(path_); }

 private:
  static inline int count_ = 0;
  std::string path_;
};

std::string abstract_name(const char* name) { return "@weft-datagram-" + std::to_string(::getpid()) + name; }

TEST(UnixDatagram, AMessageArrivesWithItsSender) {
  in_fiber([] {
    UnixDatagram a = UnixDatagram::bind(abstract_name("a")).value();
    UnixDatagram b = UnixDatagram::bind(abstract_name("b")).value();
    ASSERT_TRUE(a.send_to("question", b.local_address().value()));
    std::string text(100, '\0');
    const auto question = b.receive_from(text).value();
    EXPECT_EQ(text.substr(0, question.size), "question");
    EXPECT_EQ(question.from, a.local_address().value());
    EXPECT_EQ(question.from.to_string(), abstract_name("a"));
    ASSERT_TRUE(b.send_to("answer", question.from));
    EXPECT_EQ(a.receive_from(text).value().size, 6u);
  });
}

TEST(UnixDatagram, AnUnnamedSenderIsUnnamed) {
  in_fiber([] {
    UnixDatagram server = UnixDatagram::bind(abstract_name("server")).value();
    UnixDatagram client = UnixDatagram::connect(abstract_name("server")).value();
    EXPECT_EQ(client.peer_address().value(), server.local_address().value());
    EXPECT_TRUE(client.local_address().value().is_unnamed());
    ASSERT_TRUE(client.send("x"));
    ASSERT_TRUE(client.send(""));
    char buffer[8];
    EXPECT_TRUE(server.receive_from(buffer).value().from.is_unnamed());
    EXPECT_EQ(server.receive_from(buffer).value().size, 0u) << "an empty one is a value";
    EXPECT_EQ(server.send_to("back", UnixAddress()).error(), Errc::invalid_address);
    EXPECT_EQ(server.send("to whom").error(), system_error(ENOTCONN));
  });
}

TEST(UnixDatagram, WhatDoesNotFitIsCutOffAndTold) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    ASSERT_TRUE(pair.first.send("0123456789"));
    ASSERT_TRUE(pair.first.send("next"));
    char buffer[4];
    const auto cut = pair.second.receive_from(buffer).value();
    EXPECT_EQ(cut.size, 4u);
    EXPECT_EQ(cut.full_size, 10u);
    EXPECT_TRUE(cut.is_truncated());
    EXPECT_FALSE(pair.second.receive_from(buffer).value().is_truncated());
  });
}

TEST(UnixDatagram, APairTalksBothWays) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    ASSERT_TRUE(pair.first.send("there"));
    ASSERT_TRUE(pair.second.send("back"));
    char buffer[8];
    EXPECT_EQ(pair.second.receive_from(buffer).value().size, 5u);
    EXPECT_EQ(pair.first.receive_from(buffer).value().size, 4u);
    ASSERT_TRUE(pair.second.close());
    EXPECT_EQ(pair.first.send("nobody").error(), system_error(ECONNREFUSED));
  });
}

TEST(UnixDatagram, TheFileIsMadeWithItsPermissionsAndRemoved) {
  in_fiber([] {
    ScratchPath path;
    UnixDatagram socket = UnixDatagram::bind(path.text(), {.mode = 0600}).value();
    struct ::stat status {};
    ASSERT_EQ(::stat(path.text().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(socket.local_address().value().name(), path.text());
    const auto taken = UnixDatagram::bind(path.text());
    EXPECT_EQ(taken.error(), system_error(EADDRINUSE));
    EXPECT_NE(taken.message().find(path.text()), std::string::npos);
    EXPECT_EQ(UnixDatagram::bind(path.text(), {.replace_stale = true}).error(), system_error(EADDRINUSE))
        << "it is alive";
    UnixDatagram moved = std::move(socket);
    EXPECT_TRUE(path.exists());
    ASSERT_TRUE(moved.close());
    EXPECT_FALSE(path.exists());
    { UnixDatagram again = UnixDatagram::bind(path.text()).value(); }
    EXPECT_FALSE(path.exists());
  });
}

TEST(UnixDatagram, TheFileOfAnotherSocketStays) {
  in_fiber([] {
    ScratchPath path;
    UnixDatagram first = UnixDatagram::bind(path.text()).value();
    std::filesystem::remove(path.text());
    UnixDatagram second = UnixDatagram::bind(path.text()).value();
    ASSERT_TRUE(first.close());
    EXPECT_TRUE(path.exists());
    UnixDatagram client = UnixDatagram::connect(path.text()).value();
    ASSERT_TRUE(client.send("x"));
    char buffer[4];
    EXPECT_EQ(second.receive_from(buffer).value().size, 1u);
  });
}

TEST(UnixDatagram, AFileWhoseProcessHasDiedIsReplacedIfAsked) {
  in_fiber([] {
    ScratchPath path;
    UnixDatagram dead = UnixDatagram::bind(path.text()).value();
    const std::string kept = path.text() + ".kept";
    std::filesystem::rename(path.text(), kept);
    ASSERT_TRUE(dead.close()) << "it leaves a file alone that is not at its path any more";
    std::filesystem::rename(kept, path.text());
    EXPECT_EQ(UnixDatagram::bind(path.text()).error(), system_error(EADDRINUSE));
    EXPECT_TRUE(UnixDatagram::bind(path.text(), {.replace_stale = true}));
  });
}

TEST(UnixDatagram, ErrorsNameTheAddress) {
  in_fiber([] {
    const auto missing = UnixDatagram::connect("/no/such/socket");
    EXPECT_EQ(missing.error(), system_error(ENOENT));
    EXPECT_NE(missing.message().find("/no/such/socket"), std::string::npos);
    EXPECT_EQ(UnixDatagram::connect(abstract_name("nobody")).error(), system_error(ECONNREFUSED));
    EXPECT_EQ(UnixDatagram::bind("").error(), Errc::invalid_address);
    EXPECT_EQ(UnixDatagram::bind(UnixAddress()).error(), Errc::invalid_address);
    ScratchPath path;
    auto listener = weft::net::UnixListener::bind(path.text()).value();
    EXPECT_EQ(UnixDatagram::connect(path.text()).error(), system_error(EPROTOTYPE));
    UnixDatagram none;
    char buffer[4];
    EXPECT_EQ(none.receive_from(buffer).error(), Errc::closed);
    EXPECT_EQ(none.send("x").error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
    EXPECT_EQ(none.native_handle(), -1);
  });
}

TEST(UnixDatagram, ASocketWithAPeerTakesNothingFromOthers) {
  in_fiber([] {
    UnixDatagram a = UnixDatagram::bind(abstract_name("a")).value();
    UnixDatagram b = UnixDatagram::bind(abstract_name("b")).value();
    UnixDatagram c = UnixDatagram::bind(abstract_name("c")).value();
    ASSERT_TRUE(a.set_peer(b.local_address().value()));
    EXPECT_EQ(c.send_to("x", a.local_address().value()).error(), system_error(EPERM));
    ASSERT_TRUE(b.send_to("y", a.local_address().value()));
    char buffer[4];
    EXPECT_EQ(a.receive_from(buffer).value().from, b.local_address().value());
  });
}

TEST(UnixDatagram, AMessageGreaterThanTheBufferIsRefused) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    ASSERT_TRUE(pair.first.set_send_buffer_size(8'192));
    EXPECT_EQ(pair.first.send(std::string(100'000, 'x')).error(), system_error(EMSGSIZE));
    ASSERT_TRUE(pair.first.send("small"));
    EXPECT_EQ(pair.first.set_send_buffer_size(-1).error(), system_error(EINVAL));
  });
}

}  // namespace
}  // namespace stranger
