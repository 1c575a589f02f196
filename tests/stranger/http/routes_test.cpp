// SPDX-License-Identifier: Apache-2.0
// A route() that threw left its pattern behind, and the next route was served under it: GET /public answered
// what GET /admin was to answer.
#include "raw_client.hpp"

#include <stdexcept>

namespace {

using stranger::body_of;
using stranger::get;
using stranger::reply_to;
using weft::http::Request;
using weft::http::Response;

/// A handler that cannot be copied at will.
struct Picky {
  bool* fails;
  std::string text;

  Picky(bool* fails_, std::string text_) : fails(fails_), text(std::move(text_)) {}
  Picky(const Picky& other) : fails(other.fails), text(other.text) {
    if (*fails) throw std::runtime_error("planned");
  }
  void operator()(const Request&, Response& response) const { response.text(text); }
};

TEST(Routes, OneThatCouldNotBeAddedIsNotThere) {
  stranger::in_fiber([] {
    bool fails = false;
    weft::http::Server server;
    const Picky handler(&fails, "public");
    fails = true;
    EXPECT_THROW(server.get("/public", handler), std::runtime_error);
    EXPECT_THROW(server.get("/public", nullptr), std::invalid_argument);
    EXPECT_THROW(server.get("public", [](const Request&, Response&) {}), std::invalid_argument);
    fails = false;
    server.get("/admin", Picky(&fails, "admin"));
    EXPECT_THROW(server.get("/admin", handler), std::invalid_argument) << "taken";
    server.get("/later", Picky(&fails, "later"));
    const auto address = server.start("127.0.0.1:0").value();
    EXPECT_EQ(stranger::status_of(reply_to(address, get("/public"))), 404);
    EXPECT_EQ(body_of(reply_to(address, get("/admin"))), "admin");
    EXPECT_EQ(body_of(reply_to(address, get("/later"))), "later");
  });
}

/// What a route() that is refused says.
std::string refusal_of(std::string_view pattern) {
  weft::http::Server server;
  const auto nothing = [](const Request&, Response&) {};
  server.get("/taken", nothing);
  try {
    server.get(pattern, nothing);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "added";
}

TEST(Routes, ThatAreRefusedSayWhy) {
  EXPECT_EQ(refusal_of("relative"), "weft: the route GET relative does not begin with a slash");
  EXPECT_EQ(refusal_of("/a/:"), "weft: the route GET /a/: has a parameter without a name");
  EXPECT_EQ(refusal_of("/files/*path/more"), "weft: the route GET /files/*path/more goes on after its *");
  EXPECT_EQ(refusal_of("/:a/:a"), "weft: the route GET /:a/:a has two parameters of one name");
  EXPECT_EQ(refusal_of("/taken"),
            "weft: the route GET /taken is taken: another route has that pattern and method");
  EXPECT_EQ(refusal_of("/free"), "added");
}

}  // namespace
