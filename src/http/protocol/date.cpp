// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/date.hpp"

#include <algorithm>

namespace weft::http::protocol {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

struct CivilDate {
  unsigned year;
  unsigned month;  // 1..12
  unsigned day;    // 1..31
};

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days; for days since 1970 and not
// before.
CivilDate civil_from_days(std::int64_t days) noexcept {
  const auto shifted = static_cast<std::uint64_t>(days + 719'468);
  const std::uint64_t era = shifted / 146'097;
  const std::uint64_t day_of_era = shifted % 146'097;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const auto month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
          static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

void put_digits(char* at, unsigned value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void DateLine::format(std::int64_t unix_seconds) noexcept {
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kShape = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
  static_assert(kShape.size() == kSize);
  seconds_ = unix_seconds;
  const std::int64_t time = std::clamp<std::int64_t>(unix_seconds, 0, kYear10000 - 1);
  const CivilDate date = civil_from_days(time / kSecondsPerDay);
  const auto second = static_cast<unsigned>(time % kSecondsPerDay);
  char* text = text_.data();
  std::copy(kShape.begin(), kShape.end(), text);
  kDays.copy(text + 6, 3, static_cast<std::size_t>(time / kSecondsPerDay % 7) * 3);
  put_digits(text + 11, date.day, 2);
  kMonths.copy(text + 14, 3, (date.month - 1) * 3);
  put_digits(text + 18, date.year, 4);
  put_digits(text + 23, second / 3600, 2);
  put_digits(text + 26, second / 60 % 60, 2);
  put_digits(text + 29, second % 60, 2);
}

}  // namespace weft::http::protocol
