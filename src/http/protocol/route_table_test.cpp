// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/route_table.hpp"

#include <gtest/gtest.h>

namespace weft::http::protocol {
namespace {

class RouteTableTest : public testing::Test {
 protected:
  void add(std::string_view pattern, RouteId route, Method method = Method::get) {
    EXPECT_EQ(table_.add(method, pattern, route), nullptr) << pattern;
  }

  // The route that serves `path`, or minus the error status.
  int find(std::string_view path, Method method = Method::get) {
    const RouteMatch match = table_.find(method, path, parameters_);
    switch (match.outcome) {
      case RouteOutcome::kFound: return static_cast<int>(match.route);
      case RouteOutcome::kOptions: return -200;
      case RouteOutcome::kMethodNotAllowed: return -405;
      case RouteOutcome::kNotFound: break;
    }
    return -404;
  }

  RouteTable table_;
  PathParameters parameters_;
};

TEST_F(RouteTableTest, FindsExactPathsOnly) {
  add("/", 1), add("/hello", 2), add("/hello/", 3), add("/a/b", 4);
  EXPECT_EQ(find("/"), 1);
  EXPECT_EQ(find("/hello"), 2);
  EXPECT_EQ(find("/hello/"), 3);
  EXPECT_EQ(find("/a/b"), 4);
  for (const char* path : {"/hell", "/hello/x", "/a", "/a/", "/a/b/", "//", "", "hello", "/Hello"}) {
    EXPECT_EQ(find(path), -404) << path;
  }
}

TEST_F(RouteTableTest, ComparesSegmentsDecoded) {
  add("/hello/w", 1);
  EXPECT_EQ(find("/h%65llo/%77"), 1);
  EXPECT_EQ(find("/hello%2Fw"), -404);
  EXPECT_EQ(find("/hell%/w"), -404);
}

TEST_F(RouteTableTest, TakesAPercentInAPatternLiterally) {
  add("/a%20b", 1), add("/:x", 2);
  EXPECT_EQ(find("/a%20b"), 2) << "the segment is 'a b'";
  EXPECT_EQ(find("/a%2520b"), 1);
}

TEST_F(RouteTableTest, ComesBackFromALiteralPathThatDoesNotServeTheMethod) {
  add("/a/b", 1, Method::post), add("/a/:x", 2), add("/a/b", 3, Method::put);
  EXPECT_EQ(find("/a/b"), 2);
  EXPECT_EQ(parameters_.raw("x"), "b");
  EXPECT_EQ(find("/a/b", Method::put), 3);
  EXPECT_EQ(parameters_.size(), 0u);
  EXPECT_EQ(find("/a/b", Method::del), -405);
}

TEST_F(RouteTableTest, GivesNamedSegments) {
  add("/users/:id/posts/:post", 1);
  EXPECT_EQ(find("/users/a%20b/posts/7"), 1);
  EXPECT_EQ(parameters_.raw("id"), "a%20b");
  EXPECT_EQ(parameters_.get("id"), "a b");
  EXPECT_EQ(parameters_.get("post"), "7");
  EXPECT_FALSE(parameters_.get("other"));
  EXPECT_EQ(find("/users//posts/7"), -404) << "an empty segment is no parameter";
}

TEST_F(RouteTableTest, GivesTheRestToAWildcard) {
  add("/files/*path", 1);
  EXPECT_EQ(find("/files/a/b%2Fc"), 1);
  EXPECT_EQ(parameters_.get("path"), "a/b/c");
  EXPECT_EQ(find("/files/"), 1);
  EXPECT_EQ(parameters_.get("path"), "");
  EXPECT_EQ(find("/files"), -404);
}

TEST_F(RouteTableTest, PrefersLiteralsToParametersToWildcardsAndComesBack) {
  add("/a/*rest", 1), add("/a/:x", 2), add("/a/b", 3), add("/a/b/c/d", 4), add("/a/:x/c", 5);
  EXPECT_EQ(find("/a/b"), 3);
  EXPECT_EQ(find("/a/z"), 2);
  EXPECT_EQ(find("/a/b/c"), 5);
  EXPECT_EQ(parameters_.raw("x"), "b");
  EXPECT_EQ(find("/a/b/c/e"), 1);
  EXPECT_EQ(parameters_.raw("rest"), "b/c/e");
  EXPECT_EQ(parameters_.size(), 1u);
}

TEST_F(RouteTableTest, LetsEachRouteNameItsParameters) {
  add("/u/:id", 1), add("/u/:name", 2, Method::post);
  EXPECT_EQ(find("/u/7", Method::post), 2);
  EXPECT_EQ(parameters_.raw("name"), "7");
  EXPECT_TRUE(parameters_.raw("id").empty());
}

TEST_F(RouteTableTest, PassesOverPatternsThatDoNotServeTheMethod) {
  add("/u/me", 1), add("/u/:id", 2, Method::post);
  EXPECT_EQ(find("/u/me", Method::post), 2);
  EXPECT_EQ(find("/u/me"), 1);
}

TEST_F(RouteTableTest, AnswersHeadAndOptionsByItself) {
  add("/", 1), add("/p", 2, Method::post), add("/o", 3, Method::options), add("/h", 4),
      add("/h", 5, Method::head);
  EXPECT_EQ(find("/", Method::head), 1);
  EXPECT_EQ(find("/h", Method::head), 5);
  EXPECT_EQ(find("/p", Method::head), -405);
  EXPECT_EQ(find("/p", Method::options), -200);
  EXPECT_EQ(find("/o", Method::options), 3);
  EXPECT_EQ(find("/none", Method::options), -404);
  EXPECT_EQ(find("*", Method::options), -200);
}

TEST_F(RouteTableTest, SaysWhatIsAllowed) {
  add("/x", 1), add("/x", 2, Method::post), add("/:any", 3, Method::del);
  const RouteMatch match = table_.find(Method::put, "/x", parameters_);
  EXPECT_EQ(match.outcome, RouteOutcome::kMethodNotAllowed);
  EXPECT_EQ(allow_value(match.allowed), "DELETE, GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(allow_value({}), "");
}

TEST_F(RouteTableTest, RefusesPatternsItCouldNotServe) {
  add("/a/:b", 1);
  for (const char* pattern :
       {"", "a", "*", "/:", "/a/:", "/*x/b", "/:x/:x", "/:x/*x", "/a/:b", "/:1/:2/:3/:4/:5/:6/:7/:8/:9"}) {
    EXPECT_NE(table_.add(Method::get, pattern, 9), nullptr) << pattern;
  }
  EXPECT_NE(table_.add(Method::get, "/a/:c", 9), nullptr) << "the same pattern under another name";
}

}  // namespace
}  // namespace weft::http::protocol
