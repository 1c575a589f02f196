// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages of DNS as a name server writes them, right ones and wrong ones. Nothing of weft is used.

#include <arpa/inet.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace weft::test {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeOpt = 41;
inline constexpr std::uint16_t kTypeAaaa = 28;

enum class DnsMistake {
  kNone,
  kWrongId,          // then the right reply
  kWrongQuestion,    // then the right reply
  kOnlyWrongId,      // no right reply ever
  kCompressionLoop,  // a name that points to itself
  kCut,              // half of the reply
  kEmpty,            // a datagram without bytes
  kNoise,            // a header that promises thousands of records, then noise
  kMutated,          // other bytes here and there behind the id, cut or not; different each time
};

/// What the server says of a name.
struct DnsRecord {
  std::vector<std::string> v4 = {};
  std::vector<std::string> v6 = {};
  std::string alias = {};  ///< a CNAME
  int rcode = 0;           ///< 2: SERVFAIL, 3: NXDOMAIN, 5: REFUSED
  std::uint32_t ttl = 60;
  bool drop = false;      ///< never answered
  bool hold = false;      ///< not answered before release()
  bool truncate = false;  ///< over UDP an empty reply with TC
  DnsMistake mistake = DnsMistake::kNone;
};

using DnsZone = std::map<std::string, DnsRecord>;

struct DnsQuestion {
  std::uint16_t id = 0;
  std::string name;  ///< in lower case, without the last dot
  std::uint16_t type = 0;
  std::string bytes;  ///< of the question section
  bool has_edns = false;
};

inline void put16(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

inline std::uint16_t get16(std::string_view from, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(from[at]) << 8 |
                                    static_cast<unsigned char>(from[at + 1]));
}

inline void put_name(std::string& to, std::string_view name) {
  while (!name.empty()) {
    const std::size_t size = std::min(name.find('.'), name.size());
    to += static_cast<char>(size);
    to += name.substr(0, size);
    name.remove_prefix(std::min(size + 1, name.size()));
  }
  to += '\0';
}

inline std::optional<DnsQuestion> read_question(std::string_view message) {
  if (message.size() < 17) return {};
  DnsQuestion question{.id = get16(message, 0), .name = {}, .type = 0, .bytes = {}};
  std::size_t at = 12;
  while (at < message.size() && message[at] != 0) {
    const std::size_t size = static_cast<unsigned char>(message[at]);
    if (at + 1 + size >= message.size()) return {};
    for (const char letter : message.substr(at + 1, size))
      question.name += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    question.name += '.';
    at += 1 + size;
  }
  if (at + 5 > message.size()) return {};
  if (!question.name.empty()) question.name.pop_back();
  question.type = get16(message, at + 1);
  question.bytes = message.substr(12, at + 5 - 12);
  question.has_edns =
      get16(message, 10) != 0 && message.size() >= at + 5 + 11 && get16(message, at + 6) == kTypeOpt;
  return question;
}

/// Writes the sections of a reply.
class DnsReplyWriter {
 public:
  DnsReplyWriter(const DnsQuestion& question, const DnsZone& zone) : question_(question), zone_(zone) {}

  /// The right reply, as far as the record says one.
  std::string reply(const DnsRecord& record, bool over_tcp) {
    if (record.truncate && !over_tcp) return header(0x8380, 0) + question_.bytes;
    add_records(question_.name, record, 0);
    return header(0x8180 | static_cast<std::size_t>(record.rcode), count_) + question_.bytes + answers_;
  }

  std::string header(std::size_t flags, std::size_t answers, std::size_t id_change = 0) const {
    std::string bytes;
    put16(bytes, question_.id ^ id_change);
    put16(bytes, flags);
    put16(bytes, 1);
    put16(bytes, answers);
    put16(bytes, 0);
    put16(bytes, 0);
    return bytes;
  }

 private:
  void add_records(const std::string& name, const DnsRecord& record, int depth) {
    if (!record.alias.empty()) {
      std::string target;
      put_name(target, record.alias);
      add(name, kTypeCname, record.ttl, target);
      const auto next = zone_.find(record.alias);
      if (next != zone_.end() && depth < 20) add_records(record.alias, next->second, depth + 1);
      return;
    }
    const bool v4 = question_.type == kTypeA;
    for (const std::string& text : v4 ? record.v4 : record.v6) {
      unsigned char bytes[16];
      inet_pton(v4 ? AF_INET : AF_INET6, text.c_str(), bytes);
      add(name, question_.type, record.ttl,
          std::string_view(reinterpret_cast<const char*>(bytes), v4 ? 4 : 16));
    }
  }

  void add(const std::string& name, std::uint16_t type, std::uint32_t ttl, std::string_view data) {
    if (name == question_.name) {
      answers_ += "\xc0\x0c";  // the name of the question
    } else {
      put_name(answers_, name);
    }
    put16(answers_, type);
    put16(answers_, 1);
    put16(answers_, ttl >> 16);
    put16(answers_, ttl & 0xffff);
    put16(answers_, data.size());
    answers_ += data;
    ++count_;
  }

  const DnsQuestion& question_;
  const DnsZone& zone_;
  std::string answers_;
  std::size_t count_ = 0;
};

inline std::string looping_reply(const DnsQuestion& question) {
  std::string bytes = DnsReplyWriter(question, {}).header(0x8180, 1) + question.bytes;
  put16(bytes, 0xc000 | bytes.size());  // points to itself
  put16(bytes, question.type);
  put16(bytes, 1);
  bytes += std::string("\0\0\0\x3c\0\x04\x7f\0\0\x01", 10);
  return bytes;
}

/// The `count`-th mutation: some bytes behind the id are others, and some of the end may be missing.
inline std::string mutated(std::string reply, std::uint32_t count) {
  std::minstd_rand random(count);
  for (std::uint32_t changes = random() % 4; changes > 0; --changes)
    reply[2 + random() % (reply.size() - 2)] = static_cast<char>(random());
  if (random() % 4 == 0) reply.resize(random() % reply.size());
  return reply;
}

/// All messages that answer the question, in order.
inline std::vector<std::string> replies_to(const DnsQuestion& question, const DnsZone& zone, bool over_tcp) {
  const auto found = zone.find(question.name);
  const DnsRecord record = found != zone.end() ? found->second : DnsRecord{.rcode = 3};
  if (record.drop) return {};
  const std::string right = DnsReplyWriter(question, zone).reply(record, over_tcp);
  std::string other_id = right;
  other_id[0] = static_cast<char>(other_id[0] ^ 0x55);
  DnsQuestion changed = question;
  changed.bytes[1] = changed.bytes[1] == 'x' ? 'y' : 'x';
  const std::string other_question = DnsReplyWriter(changed, zone).reply(record, over_tcp);
  switch (record.mistake) {
    case DnsMistake::kNone: return {right};
    case DnsMistake::kWrongId: return {other_id, right};
    case DnsMistake::kWrongQuestion: return {other_question, right};
    case DnsMistake::kOnlyWrongId: return {other_id};
    case DnsMistake::kCompressionLoop: return {looping_reply(question)};
    case DnsMistake::kCut: return {right.substr(0, right.size() - 3)};
    case DnsMistake::kEmpty: return {std::string()};
    case DnsMistake::kMutated: {
      static std::atomic<std::uint32_t> count{0};
      return {mutated(right, ++count)};
    }
    case DnsMistake::kNoise:
      return {DnsReplyWriter(question, zone).header(0x8180, 0xffff) + question.bytes +
              std::string(400, '\xbf')};
  }
  return {};
}

}  // namespace weft::test
