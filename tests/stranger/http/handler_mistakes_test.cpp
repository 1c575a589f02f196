// SPDX-License-Identifier: Apache-2.0
// What a handler does wrong ended the process: status() or text() after write(), status(101), throw 42, a
// failed write() that was answered with status(500). It ends one exchange now, and says which.
#include "raw_client.hpp"

#include <stdexcept>
#include <string>

namespace {

using stranger::body_of;
using stranger::get;
using stranger::has_line;
using stranger::reply_to;
using stranger::status_of;
using weft::http::Request;
using weft::http::Response;
using weft::http::Status;

struct NoStandardException {};
struct Speechless : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

/// Serves `handler` at /it, and runs `body`; then the server still answers.
void with_handler(const weft::http::Handler& handler,
                  const std::function<void(const weft::net::SocketAddress&)>& body) {
  stranger::in_fiber([&] {
    weft::http::Server server;
    server.get("/it", handler).post("/it", handler);
    server.get("/after", [](const Request&, Response& response) { response.text("alive"); });
    const auto address = server.start("127.0.0.1:0").value();
    body(address);
    EXPECT_EQ(body_of(reply_to(address, get("/after"))), "alive");
  });
}

/// A handler that sent nothing is answered for with 500, and the connection goes on.
void expect_500(const weft::http::Handler& handler) {
  with_handler(handler, [](const weft::net::SocketAddress& address) {
    const std::string reply = reply_to(address, get("/it", "keep-alive") + get("/after"));
    EXPECT_EQ(status_of(reply), 500);
    EXPECT_EQ(stranger::count_of(reply, "HTTP/1.1 "), 2u) << reply;
    EXPECT_TRUE(reply.ends_with("alive")) << reply;
  });
}

/// A response that has begun with "half" ends there, and does not look whole.
void expect_cut_off(const weft::http::Handler& handler) {
  with_handler(handler, [](const weft::net::SocketAddress& address) {
    const std::string reply = reply_to(address, get("/it", "keep-alive") + get("/after"));
    EXPECT_EQ(status_of(reply), 200);
    EXPECT_EQ(body_of(reply), "4\r\nhalf\r\n");
  });
}

TEST(HandlerMistakes, WhatIsThrownIs500WhateverItIs) {
  expect_500([](const Request&, Response&) { throw 42; });
  expect_500([](const Request&, Response&) { throw "text"; });
  expect_500([](const Request&, Response&) { throw NoStandardException(); });
  expect_500([](const Request&, Response&) { throw Speechless(); });
  expect_500([](const Request&, Response&) { throw std::runtime_error("planned"); });
  expect_500([](const Request&, Response&) { throw std::bad_alloc(); });
}

TEST(HandlerMistakes, WhatIsThrownAfterWriteCutsTheResponseOff) {
  expect_cut_off([](const Request&, Response& response) {
    EXPECT_TRUE(response.write("half"));
    throw 42;
  });
}

// The text was lost without a word.
TEST(HandlerMistakes, WriteAfterABodyIs500) {
  expect_500([](const Request&, Response& response) {
    response.text("first");
    EXPECT_EQ(response.write("second").error(), weft::Errc::closed);
    EXPECT_EQ(response.write("third").error(), weft::Errc::closed);
  });
  expect_500([](const Request&, Response& response) {
    response.body(std::string(100'000, 'b'), "text/html");
    EXPECT_EQ(response.write("").error(), weft::Errc::closed);
  });
  with_handler(
      [](const Request&, Response& response) {
        response.text("");  // nothing is lost
        EXPECT_TRUE(response.write("written"));
      },
      [](const weft::net::SocketAddress& address) {
        EXPECT_EQ(body_of(reply_to(address, get("/it"))), "7\r\nwritten\r\n0\r\n\r\n");
      });
}

TEST(HandlerMistakes, AStatusThatIsNotFinalIs500) {
  for (const int status : {0, 99, 100, 101, 103, 199, 600, 999, 65535}) {
    expect_500([status](const Request&, Response& response) {
      response.status(static_cast<Status>(status)).text("not sent");
      EXPECT_EQ(response.write("nor this").error(), weft::Errc::closed);
    });
  }
}

TEST(HandlerMistakes, EveryFinalStatusIsSent) {
  for (const int status : {200, 299, 418, 599}) {
    with_handler(
        [status](const Request&, Response& response) { response.status(static_cast<Status>(status)); },
        [status](const auto& address) { EXPECT_EQ(status_of(reply_to(address, get("/it"))), status); });
  }
}

TEST(HandlerMistakes, StatusTextAndBodyAfterWriteCutTheResponseOff) {
  expect_cut_off([](const Request&, Response& response) {
    EXPECT_TRUE(response.write("half"));
    response.status(Status::not_found);
    EXPECT_EQ(response.write("more").error(), weft::Errc::closed);
  });
  expect_cut_off([](const Request&, Response& response) {
    EXPECT_TRUE(response.write("half"));
    response.text("whole");
  });
  expect_cut_off([](const Request&, Response& response) {
    EXPECT_TRUE(response.write("half"));
    response.body(std::string(100'000, 'x'), "text/html");
  });
}

TEST(HandlerMistakes, AHeaderThatIsTooLongIsAnErrorOfTheCallAndAnExceptionOfItsValue) {
  with_handler(
      [](const Request&, Response& response) {
        EXPECT_EQ(response.header("X", std::string(100'000, 'x')).error(), weft::Errc::message_too_large);
        EXPECT_EQ(response.header(std::string(100'000, 'n'), "x").error(), weft::Errc::message_too_large);
        response.text("without");
      },
      [](const auto& address) { EXPECT_EQ(body_of(reply_to(address, get("/it"))), "without"); });
  expect_500(
      [](const Request&, Response& response) { response.header("X", std::string(100'000, 'x')).value(); });
}

TEST(HandlerMistakes, AContentTypeThatIsRefusedIs500WhateverIsSetAfterwards) {
  expect_500([](const Request&, Response& response) {
    response.body("text", "text/plain\r\nSet-Cookie: x");
    response.status(Status::ok);
  });
  expect_500([](const Request&, Response& response) {
    response.body("text", std::string(100'000, 'x'));
    response.status(Status::created);
    response.text("good");
  });
}

TEST(HandlerMistakes, ABodyForAStatusThatHasNoneIsNotSent) {
  for (const auto& [status, length] : {std::pair(204, ""), {304, ""}, {205, "Content-Length: 0"}}) {
    for (const bool streamed : {false, true}) {
      with_handler(
          [&, status = status](const Request&, Response& response) {
            response.status(static_cast<Status>(status));
            if (streamed) {
              EXPECT_TRUE(response.write("a body"));
            } else {
              response.text("a body");
            }
          },
          [&, status = status, length = length](const auto& address) {
            const std::string reply = reply_to(address, get("/it", "keep-alive") + get("/after"));
            EXPECT_EQ(status_of(reply), status);
            EXPECT_EQ(reply.find("a body"), std::string::npos) << reply;
            EXPECT_EQ(reply.find("chunked"), std::string::npos) << reply;
            EXPECT_TRUE(reply.ends_with("alive")) << "the framing is intact: " << reply;
            if (*length != '\0') {
              EXPECT_TRUE(has_line(reply, length)) << reply;
            }
          });
    }
  }
}

TEST(HandlerMistakes, A205SaysThatItHasNoContentWhateverWasAnnounced) {
  with_handler(
      [](const Request&, Response& response) {
        response.status(Status::reset_content);
        EXPECT_TRUE(response.header("Content-Length", "5"));
        response.text("12345");
      },
      [](const auto& address) {
        const std::string reply = reply_to(address, get("/it"));
        EXPECT_TRUE(has_line(reply, "Content-Length: 0")) << reply;
        EXPECT_EQ(body_of(reply), "");
      });
}

TEST(HandlerMistakes, AFailedWriteMayBeAnsweredWithAStatus) {
  weft::Channel<int> left(1);
  bool failed = false;
  with_handler(
      [&](const Request&, Response& response) {
        EXPECT_TRUE(response.write("begun"));
        EXPECT_TRUE(left.receive());
        const std::string block(64 * 1024, 'x');
        for (int i = 0; i < 1000 && !failed; ++i) {
          if (response.write(block)) continue;
          failed = true;
          response.status(Status::internal_server_error);
          response.text("nobody reads this");
        }
      },
      [&](const auto& address) {
        {
          stranger::RawClient client(address);
          client.send(get("/it"));
          std::array<std::byte, 4> begun;
          EXPECT_TRUE(client.stream().read_some(begun));
        }
        EXPECT_TRUE(left.send(1));
      });
  EXPECT_TRUE(failed);
}

TEST(HandlerMistakes, AConnectionThatWasToCloseClosesAfterAnExceptionToo) {
  with_handler(
      [](const Request& request, Response& response) {
        if (request.query().contains("header")) {
          EXPECT_TRUE(response.header("Connection", "close"));
        } else {
          response.close_connection();
        }
        throw std::runtime_error("planned");
      },
      [](const auto& address) {
        for (const char* path : {"/it", "/it?header"}) {
          const std::string reply = reply_to(address, get(path, "keep-alive"));
          EXPECT_EQ(status_of(reply), 500);
          EXPECT_TRUE(has_line(reply, "Connection: close")) << reply;
        }
      });
}

TEST(HandlerMistakes, AHeaderThatCannotBeSetLeavesTheOldOne) {
  with_handler(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.header("X-Kept", "old"));
        EXPECT_EQ(response.set_header("X-Kept", "a\r\nb").error(), weft::Errc::malformed_message);
        EXPECT_EQ(response.set_header("X-Kept", std::string(100'000, 'x')).error(),
                  weft::Errc::message_too_large);
        EXPECT_TRUE(response.header("Content-Length", "2"));
        EXPECT_EQ(response.set_header("Content-Length", "two").error(), weft::Errc::malformed_message);
        EXPECT_TRUE(response.header("Date", "then"));
        EXPECT_EQ(response.set_header("Date", "\n").error(), weft::Errc::malformed_message);
        EXPECT_EQ(response.header("Date", "now").error(), weft::Errc::malformed_message) << "a second one";
        EXPECT_TRUE(response.set_header("X-New", "1"));
        response.text("ok");
      },
      [](const auto& address) {
        const std::string reply = reply_to(address, get("/it"));
        EXPECT_TRUE(has_line(reply, "X-Kept: old")) << reply;
        EXPECT_TRUE(has_line(reply, "Content-Length: 2")) << reply;
        EXPECT_TRUE(has_line(reply, "Date: then")) << reply;
        EXPECT_EQ(stranger::count_of(reply, "X-Kept"), 1u);
        EXPECT_EQ(stranger::count_of(reply, "Date: "), 1u);
      });
}

TEST(HandlerMistakes, AHeaderIsReplacedWhereOnlyTheOldOnesRoomIsLeft) {
  with_handler(
      [](const Request&, Response& response) {
        while (response.header("X-Long", std::string(500, 'a'))) {}
        while (response.header("X", "")) {}
        EXPECT_TRUE(response.set_header("X-Long", std::string(500, 'b')));
      },
      [](const auto& address) {
        const std::string reply = reply_to(address, get("/it"));
        EXPECT_TRUE(has_line(reply, "X-Long: " + std::string(500, 'b')));
        EXPECT_EQ(stranger::count_of(reply, "X-Long"), 1u);
      });
}

TEST(HandlerMistakes, LessOrMoreThanAnnouncedIsSeenByTheClient) {
  with_handler(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.header("Content-Length", "9"));
        EXPECT_TRUE(response.write("half"));
      },
      [](const auto& address) { EXPECT_EQ(body_of(reply_to(address, get("/it", "keep-alive"))), "half"); });
  with_handler(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.header("Content-Length", "4"));
        EXPECT_TRUE(response.write("half"));
        EXPECT_EQ(response.write("more").error(), weft::Errc::message_too_large);
        EXPECT_EQ(response.write("again").error(), weft::Errc::closed);
      },
      [](const auto& address) { EXPECT_EQ(body_of(reply_to(address, get("/it", "keep-alive"))), "half"); });
  expect_500([](const Request&, Response& response) {
    EXPECT_TRUE(response.header("Content-Length", "9"));
    response.text("half");
  });
}

TEST(HandlerMistakes, ReadingIntoNoRoomReadsNothing) {
  with_handler(
      [](const Request& request, Response& response) {
        EXPECT_EQ(request.read_some({}).value(), 0u);
        response.text(request.read_all().value());
      },
      [](const auto& address) {
        EXPECT_EQ(body_of(reply_to(address,
                                   "POST /it HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                   "Content-Length: 3\r\n\r\nabc")),
                  "abc");
      });
}

/// Runs one request whose handler is `handler` in a process of its own, as a line that was said too often is
/// left out.
void serve_once(const weft::http::Handler& handler) {
  stranger::in_fiber([&] {
    weft::http::Server server;
    server.get("/users/:id/posts", handler);
    reply_to(server.start("127.0.0.1:0").value(), get("/users/7/posts"));
  });
  std::exit(0);
}

TEST(HandlerMistakesDeathTest, AreSaidWithMethodAndRoute) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ends_well = testing::ExitedWithCode(0);
  EXPECT_EXIT(serve_once([](const Request&, Response&) { throw 42; }), ends_well,
              "weft: the handler of GET /users/:id/posts threw int \\(path /users/7/posts\\)\n");
  EXPECT_EXIT(
      serve_once([](const Request&, Response&) { throw std::runtime_error("planned"); }), ends_well,
      "handler of GET /users/:id/posts threw std::runtime_error: planned \\(path /users/7/posts\\)\n");
  EXPECT_EXIT(serve_once([](const Request&, Response& response) {
                EXPECT_TRUE(response.write("x"));
                response.status(Status::not_found);
              }),
              ends_well,
              "handler of GET /users/:id/posts called status\\(\\) after write\\(\\): .* cut off ");
  EXPECT_EXIT(
      serve_once([](const Request&, Response& response) { response.status(Status::no_content).text("x"); }),
      ends_well, "handler of GET /users/:id/posts gave a body to a status that has none: ");
}

TEST(HandlerMistakesDeathTest, ThatAClientRepeatsAreNotSaidEachTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        testing::internal::CaptureStderr();
        stranger::in_fiber([] {
          weft::http::Server server;
          server.get("/it", [](const Request&, Response&) { throw 42; });
          const auto address = server.start("127.0.0.1:0").value();
          for (int i = 0; i < 20; ++i) reply_to(address, std::string(get("/it", "keep-alive")) + get("/it"));
        });
        const std::size_t lines = stranger::count_of(testing::internal::GetCapturedStderr(), "threw int");
        std::exit(lines >= 10 && lines < 40 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
