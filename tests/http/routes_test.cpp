// SPDX-License-Identifier: Apache-2.0
#include "http_client.hpp"
#include "test_server.hpp"

namespace weft::http::test {
namespace {

class Routes : public HttpTest {};
WEFT_HTTP_WORLDS(Routes);

TEST_P(Routes, ALiteralAParameterAndTheRestOfAPathAreServed) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    EXPECT_EQ(client.get("/").body, "Hello world!");
    EXPECT_EQ(client.get("/users/j%C3%B6rg%20x").body, "j\xc3\xb6rg x");
    EXPECT_EQ(client.get("/files/a/b/c.txt").body, "a/b/c.txt");
    EXPECT_EQ(client.get("/?query=yes").status, 200);
  });
}

TEST_P(Routes, AnUnknownPathIs404AndTheConnectionStays) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    const Reply reply = client.get("/nowhere");
    EXPECT_EQ(reply.status, 404);
    EXPECT_FALSE(reply.closes());
    EXPECT_EQ(client.get("/").status, 200);
  });
}

TEST_P(Routes, AnotherMethodIs405AndSaysWhichAreAllowed) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("DELETE /users/7 HTTP/1.1\r\nHost: a\r\n\r\n");
    const Reply reply = client.receive();
    EXPECT_EQ(reply.status, 405);
    EXPECT_TRUE(reply.has("Allow: GET, HEAD, OPTIONS\r\n")) << reply.head;
    EXPECT_EQ(client.get("/").status, 200);
  });
}

TEST_P(Routes, OptionsAreAnsweredForAPathAndForTheServer) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    client.send("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    const Reply path = client.receive();
    EXPECT_EQ(path.status, 204);
    EXPECT_TRUE(path.has("Allow: POST, OPTIONS\r\n")) << path.head;
    const Reply all = client.receive();
    EXPECT_EQ(all.status, 204);
    EXPECT_TRUE(all.has("Allow: GET, HEAD, POST, OPTIONS\r\n")) << all.head;
  });
}

TEST_P(Routes, HeadHasTheHeadersOfGetAndNoBody) {
  run([](const Contexts& contexts) {
    TestServer server(contexts);
    Client client(server.address());
    for (const std::string path : {"/", "/bytes/100000", "/announced/5000"}) {
      client.send("HEAD " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
      const Reply head = client.receive(true);
      EXPECT_EQ(head.status, 200);
      const Reply reply = client.get(path);  // would find the body first, if one had been sent
      EXPECT_EQ(reply.status, 200);
      EXPECT_TRUE(head.has("Content-Length: " + std::to_string(reply.body.size()) + "\r\n")) << head.head;
    }
    client.send("HEAD /stream/5000 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive(true).status, 200);
    EXPECT_EQ(client.get("/").body, "Hello world!");
  });
}

TEST(RoutePatterns, AMalformedOrTakenPatternIsRefused) {
  Server server;
  const Handler handler = [](const Request&, Response&) {};
  server.get("/a", handler);
  EXPECT_THROW(server.get("/a", handler), std::invalid_argument);
  EXPECT_THROW(server.get("a", handler), std::invalid_argument);
  EXPECT_THROW(server.get("/*a/b", handler), std::invalid_argument);
}

}  // namespace
}  // namespace weft::http::test
