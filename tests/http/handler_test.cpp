// SPDX-License-Identifier: Apache-2.0
// What handlers do wrong, and what they may do.
#include "http_client.hpp"
#include "test_server.hpp"

#include <stdexcept>

namespace weft::http::test {
namespace {

class Handlers : public HttpTest {
 protected:
  /// Serves `handler` for GET and POST of "/", and runs `body` with a client.
  void serve(const Handler& handler, const std::function<void(Client&)>& body) {
    run([&](const Contexts& contexts) {
      Server server;
      server.get("/", handler).post("/", handler);
      const net::SocketAddress address = server.start("127.0.0.1:0", {.contexts = contexts}).value();
      Client client(address);
      body(client);
    });
  }
};
WEFT_HTTP_WORLDS(Handlers);

TEST_P(Handlers, OneThatDoesNothingAnswers200WithAnEmptyBody) {
  serve([](const Request&, Response&) {},
        [](Client& client) {
          const Reply reply = client.get("/");
          EXPECT_EQ(reply.status, 200);
          EXPECT_TRUE(reply.has("Content-Length: 0\r\n"));
        });
}

TEST_P(Handlers, AnExceptionIs500AndTheConnectionStays) {
  serve(
      [](const Request&, Response& response) {
        response.status(Status::created);
        EXPECT_TRUE(response.header("X-Secret", "1"));
        throw std::runtime_error("planned");
      },
      [](Client& client) {
        for (int i = 0; i < 3; ++i) {
          const Reply reply = client.get("/");
          EXPECT_EQ(reply.status, 500);
          EXPECT_FALSE(reply.has("X-Secret"));
          EXPECT_FALSE(reply.closes());
        }
      });
}

TEST_P(Handlers, AnExceptionAfterTheResponseHasBegunCutsItOff) {
  serve(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.write("half"));
        throw std::runtime_error("planned");
      },
      [](Client& client) {
        const Reply reply = client.get("/");
        EXPECT_EQ(reply.body, "half");
        EXPECT_FALSE(reply.whole);
        EXPECT_TRUE(client.at_end());
      });
}

TEST_P(Handlers, LineBreaksAndControlCharactersAreNotInjected) {
  serve(
      [](const Request&, Response& response) {
        const std::string_view evils[] = {"a\r\nSet-Cookie: x", "a\nb", "a\rb", {"a\0b", 3}, "\x7f"};
        for (const std::string_view evil : evils) {
          EXPECT_EQ(response.header("X", evil).error(), Errc::malformed_message);
          EXPECT_EQ(response.set_header("X", evil).error(), Errc::malformed_message);
          EXPECT_EQ(response.header(evil, "v").error(), Errc::malformed_message);
        }
        EXPECT_EQ(response.header("Transfer-Encoding", "chunked").error(), Errc::malformed_message);
        EXPECT_EQ(response.header("", "v").error(), Errc::malformed_message);
        response.text("clean");
      },
      [](Client& client) {
        const Reply reply = client.get("/");
        EXPECT_EQ(reply.body, "clean");
        EXPECT_FALSE(reply.has("Set-Cookie"));
        EXPECT_FALSE(reply.has("\nX"));
      });
}

TEST_P(Handlers, AContentTypeThatIsNoHeaderValueIs500) {
  serve([](const Request&, Response& response) { response.body("x", "text/plain\r\nA: b"); },
        [](Client& client) { EXPECT_EQ(client.get("/").status, 500); });
}

TEST_P(Handlers, HeadersThatDoNotFitAreAnErrorOfTheCall) {
  serve(
      [](const Request&, Response& response) {
        EXPECT_EQ(response.header("X", std::string(70'000, 'x')).error(), Errc::message_too_large);
        int lines = 0;
        while (response.header("X", std::string(100, 'x'))) ++lines;
        EXPECT_GT(lines, 50);
        while (response.header("X", "")) ++lines;
        response.text(std::string(9000, 'b'));
      },
      [](Client& client) { EXPECT_EQ(client.get("/").status, 500); });  // no room for the Content-Type
}

TEST_P(Handlers, ABodyThatItsStatusForbidsIsLeftOut) {
  serve(
      [](const Request&, Response& response) {
        response.status(Status::no_content);
        response.text("a body");
      },
      [](Client& client) {
        EXPECT_EQ(client.get("/").status, 204);
        EXPECT_EQ(client.get("/").status, 204);
      });
}

TEST_P(Handlers, MoreThanAnnouncedIsRefusedAndLessIsSeenByTheClient) {
  serve(
      [](const Request& request, Response& response) {
        EXPECT_TRUE(response.header("Content-Length", "4"));
        EXPECT_TRUE(response.write("123"));
        if (request.has_body()) return;
        EXPECT_EQ(response.write("45").error(), Errc::message_too_large);
      },
      [](Client& client) {
        client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_FALSE(client.receive().whole);
      });
  serve(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.header("Content-Length", "4"));
        EXPECT_TRUE(response.write("123"));
      },
      [](Client& client) { EXPECT_FALSE(client.get("/").whole); });
}

TEST_P(Handlers, NoInterimResponseIsSentIntoAStreamThatHasBegun) {
  serve(
      [](const Request& request, Response& response) {
        EXPECT_TRUE(response.write("begun "));
        std::array<std::byte, 10> buffer;
        const Result<std::size_t> n = request.read_some(buffer);
        EXPECT_TRUE(response.write(n ? "read" : "not read"));
      },
      [](Client& client) {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        std::array<std::byte, 1> byte;
        ASSERT_TRUE(client.stream().read_some(byte));
        client.send("body");
        const std::string all = client.receive_until_end();
        EXPECT_EQ(all.find("100 Continue"), std::string::npos);
        EXPECT_NE(all.find("\r\nread\r\n0\r\n"), std::string::npos) << all;
      });
}

TEST_P(Handlers, HeadersAfterTheFirstPartAreRefused) {
  serve(
      [](const Request&, Response& response) {
        EXPECT_TRUE(response.write("x"));
        EXPECT_EQ(response.header("A", "b").error(), Errc::closed);
      },
      [](Client& client) { EXPECT_EQ(client.get("/").body, "x"); });
}

TEST_P(Handlers, AnEmptyBodyOfAnEmptyViewIsSent) {
  serve([](const Request&, Response& response) { response.body(std::string_view(), "text/html"); },
        [](Client& client) { EXPECT_TRUE(client.get("/").has("Content-Type: text/html\r\n")); });
}

TEST_P(Handlers, ReadAllStopsAtItsLimit) {
  serve(
      [](const Request& request, Response& response) {
        response.text(request.read_all(10).error() == make_error_code(Errc::message_too_large) ? "too large"
                                                                                               : "?");
      },
      [](Client& client) {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n12345678901");
        EXPECT_EQ(client.receive().body, "too large");
        client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n");
        EXPECT_EQ(client.receive().body, "too large");
      });
}

}  // namespace
}  // namespace weft::http::test
