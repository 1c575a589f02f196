// SPDX-License-Identifier: Apache-2.0
// The small public types: methods, statuses, headers, queries; and the Date line.

#include "http/protocol/characters.hpp"
#include "http/protocol/date.hpp"
#include "http/protocol/status_lines.hpp"
#include "http/protocol/target.hpp"

#include <weft/http/headers.hpp>
#include <weft/http/method.hpp>
#include <weft/http/query.hpp>
#include <weft/http/status.hpp>

#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::http {
namespace {

TEST(Method, IsFoundByTheNameItHas) {
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    const Method method = static_cast<Method>(i);
    EXPECT_EQ(method_from(to_string(method)), method);
  }
  EXPECT_EQ(to_string(Method::msearch), "M-SEARCH");
  EXPECT_FALSE(method_from("get") || method_from("") || method_from("GETS"));
}

TEST(Method, IsKnownOnceItIsRegistered) {
  EXPECT_EQ(method_from("BREW-X"), std::nullopt);
  const Method brew = register_method("BREW-X");
  EXPECT_EQ(to_string(brew), "BREW-X");
  EXPECT_EQ(method_from("BREW-X"), brew);
  EXPECT_EQ(register_method("BREW-X"), brew);
  EXPECT_EQ(register_method("GET"), Method::get);
  EXPECT_NE(register_method("brew-x"), brew);
  MethodSet methods;
  methods.insert(brew);
  EXPECT_TRUE(methods.contains(brew) && !methods.contains(Method::get));
}

TEST(Method, HasANameThatIsAToken) {
  for (const char* name : {"", "A B", "A\r", "\xc3", "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABC"}) {
    EXPECT_THROW(register_method(name), std::invalid_argument) << name;
  }
}

// In a process of its own, as there is no way back.
TEST(Method, OfTheProgramsOwnThereAreAsManyAsASetHolds) {
  const auto fill = [] {
    bool refused = false;
    try {
      for (std::size_t i = 0; i <= kRegisteredMethodsMax; ++i) register_method("MORE-" + std::to_string(i));
    } catch (const std::length_error&) {
      refused = true;
    }
    for (std::size_t i = kMethodCount; i < 64; ++i) {
      const Method method = static_cast<Method>(i);
      if (to_string(method).empty() || method_from(to_string(method)) != method) std::_Exit(1);
    }
    std::_Exit(refused ? 0 : 2);
  };
  EXPECT_EXIT(fill(), testing::ExitedWithCode(0), "");
}

TEST(Status, HasItsPhraseAndLine) {
  EXPECT_EQ(reason_phrase(Status::not_found), "Not Found");
  EXPECT_EQ(protocol::status_line(Status::ok), "HTTP/1.1 200 OK\r\n");
  for (const unsigned code : {0u, 99u, 299u, 600u}) EXPECT_EQ(reason_phrase(static_cast<Status>(code)), "");
}

std::vector<Header> table(std::vector<std::pair<std::string_view, std::string_view>> lines) {
  std::vector<Header> headers;
  for (const auto& [name, value] : lines) {
    headers.push_back({name.data(), value.data(), static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
  }
  return headers;
}

TEST(Headers, AreFoundWhateverTheirCase) {
  const std::vector<Header> lines = table({{"Accept", "a"}, {"X", "1"}, {"aCCEPT", "b"}});
  const Headers headers(lines.data(), lines.size());
  EXPECT_EQ(headers.find("ACCEPT"), "a");
  EXPECT_EQ(headers.count("accept"), 2u);
  EXPECT_EQ(headers.get("y", "none"), "none");
  EXPECT_FALSE(headers.contains("Acceptx") || headers.contains("Accep"));
  std::string all;
  headers.for_each("accept", [&](std::string_view value) { all += value; });
  EXPECT_EQ(all, "ab");
}

TEST(Headers, FindTokensInListsOverSeveralLines) {
  const std::vector<Header> lines = table({{"C", " a , b"}, {"c", ",,D"}});
  const Headers headers(lines.data(), lines.size());
  for (const char* token : {"a", "B", "d"}) EXPECT_TRUE(headers.has_token("C", token)) << token;
  EXPECT_FALSE(headers.has_token("C", "a , b") || headers.has_token("C", ""));
}

TEST(EqualsIgnoringCase, FoldsLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("aZ-09", "Az-09"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
}

TEST(PercentDecode, DecodesEveryByteAndRefusesHalfEscapes) {
  EXPECT_EQ(percent_decode("a%2Fb%00+"), std::string("a/b\0+", 5));
  EXPECT_EQ(form_decode("a+b%2b"), "a b+");
  for (const char* text : {"%", "%1", "%g0", "%0g", "a%"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(EqualsDecoded, ComparesTheDecodedTextOnly) {
  EXPECT_TRUE(equals_decoded("h%65llo", "hello"));
  EXPECT_TRUE(equals_decoded("", ""));
  EXPECT_TRUE(equals_decoded("%2525", "%25"));
  for (const char* text : {"h%65ll", "h%65lloo", "%25", "hello%", "Hello"}) {
    EXPECT_FALSE(equals_decoded(text, text[0] == '%' ? "%25" : "hello")) << text;
  }
}

TEST(Query, SplitsAtAmpersandsAndTheFirstEqualsSign) {
  std::string walked;
  for (const QueryParameter parameter : Query("a=1&&b&=c&d=e=f&")) {
    walked += std::string(parameter.name) + ":" + std::string(parameter.value) + ";";
  }
  EXPECT_EQ(walked, "a:1;b:;:c;d:e=f;");
  EXPECT_TRUE(Query("").begin() == Query("").end());
}

TEST(Query, DecodesWhatIsAskedFor) {
  const Query query("na%6de=a+b&n=%zz&name=second");
  EXPECT_EQ(query.get("name"), "a b");
  EXPECT_FALSE(query.get("n") || query.get("missing"));
  EXPECT_TRUE(query.contains("n") && !query.contains("z"));
}

TEST(Authority, IsAHostWithOrWithoutAPort) {
  for (const char* text : {"", "a", "a.b:80", "a:", "[::1]", "[::1]:65535", "1.2.3.4:8080", "a,b", "%41"}) {
    EXPECT_TRUE(protocol::is_authority(text)) << text;
  }
  for (const char* text : {":80", "a:b", "a:123456", "a:1:2", "[", "[]", "[::1", "[::1]a", "[::1]:x", "a[b]",
                           "]", "[[a]", "a/b", "a@b", "a b", "a\"", "a\\b", "\xc3\xa4"}) {
    EXPECT_FALSE(protocol::is_authority(text)) << text;
  }
}

TEST(Characters, OfATokenAreThoseOfTheRfc) {
  int tokens = 0;
  for (int c = 0; c < 256; ++c)
    tokens += protocol::is(protocol::kTokenCharacter, static_cast<char>(c)) ? 1 : 0;
  EXPECT_EQ(tokens, 26 + 26 + 10 + 15);
  EXPECT_FALSE(protocol::all_are(protocol::kValueCharacter, std::string_view("a\0", 2)));
  EXPECT_TRUE(protocol::all_are(protocol::kValueCharacter, "\t \xff"));
}

TEST(DateLine, AgreesWithTheCLibrary) {
  protocol::DateLine line;
  for (const std::int64_t time : {0LL, 784'111'777LL, 951'782'400LL, 1'709'251'199LL, 1'700'000'000LL,
                                  4'102'444'799LL, 253'402'300'799LL}) {
    const std::time_t seconds = time;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[64];
    std::strftime(expected, sizeof expected, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    EXPECT_EQ(line.at(time), expected);
  }
}

TEST(DateLine, AgreesWithTheCLibraryOnEveryDayOfFourCenturies) {
  protocol::DateLine line;
  for (std::time_t time = 0; time < 400LL * 366 * 86'400; time += 86'400) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    char expected[64];
    std::strftime(expected, sizeof expected, "Date: %a, %d %b %Y", &parts);
    ASSERT_EQ(line.at(time).substr(0, 22), expected);
  }
}

TEST(DateLine, StaysWithinTheYearsItCanWrite) {
  protocol::DateLine line;
  EXPECT_EQ(line.at(-1).substr(6, 16), "Thu, 01 Jan 1970");
  EXPECT_EQ(line.at(INT64_MAX).substr(6, 16), "Fri, 31 Dec 9999");
}

}  // namespace
}  // namespace weft::http
