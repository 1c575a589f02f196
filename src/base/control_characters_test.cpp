// SPDX-License-Identifier: Apache-2.0
#include "base/control_characters.hpp"

#include <string>
#include <gtest/gtest.h>

namespace weft {
namespace {

std::string blanked(std::string text) {
  blank_control_characters(text.data(), text.size());
  return text;
}

TEST(ControlCharacters, TextStays) {
  for (const char* const text :
       {"", "plain text ~!",
        "Gr\xc3\xbc\xc3\x9f"
        "e",
        "\xe2\x80\x93 \xe2\x82\xac", "\xf0\x9f\xa7\xb5", "\xc2\xa0", "\xe0\xa0\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(blanked(text), text);
}

TEST(ControlCharacters, ThoseOfAsciiAreSpaces) {
  EXPECT_EQ(blanked("a\nb\r\t\x1b[31m\x7f"), "a b   [31m ");
  EXPECT_EQ(blanked(std::string("\0x", 2)), " x");
}

// CSI, of which a terminal that takes them makes what it makes of ESC and [.
TEST(ControlCharacters, ThoseOfTheSecondHalfAreSpacesInUtf8) {
  EXPECT_EQ(blanked("\xc2\x9b"
                    "31m"),
            "  31m");
  EXPECT_EQ(blanked("\xc2\x80\xc2\x85\xc2\x9f"), "      ");
}

TEST(ControlCharacters, AndAsBytesOfTheirOwn) {
  EXPECT_EQ(blanked("\x9b"
                    "31m"),
            " 31m");
  EXPECT_EQ(blanked("\x80\x9f\xa0\xff"), "  \xa0\xff");
  EXPECT_EQ(blanked("\xc3\xbc\x9b"), "\xc3\xbc ") << "after a character that is whole";
}

TEST(ControlCharacters, WhatIsNoUtf8HidesNone) {
  EXPECT_EQ(blanked("\xc0\x9b"), "\xc0 ") << "overlong";
  EXPECT_EQ(blanked("\xe0\x80\x9b"), "\xe0  ") << "overlong";
  EXPECT_EQ(blanked("\xf0\x80\x80\x9b"), "\xf0   ") << "overlong";
  EXPECT_EQ(blanked("\xe2\x9b"), "\xe2 ") << "cut";
  EXPECT_EQ(blanked("\xe2\x9b"
                    "31m"),
            "\xe2 31m")
      << "cut";
  EXPECT_EQ(blanked("\xc2\n"), "\xc2 ") << "cut";
}

}  // namespace
}  // namespace weft
