// SPDX-License-Identifier: Apache-2.0
// The word of a write that was put off (docs/design/write-batch.md): the thread of its batch, the monitor,
// and the fiber whose write it is, woken early on a third thread.
#include "event_loop/write_batch/write_word.hpp"
#include "model/model.hpp"

namespace weft {
namespace {

using model::FailureKind;

/// A slot: its bytes, and what has become of them.
template <class Word>
struct Slot {
  Slot() { model::name(word, "word"); }

  WriteTicket put_off(int value) {
    model::check(word.is_free(), "free");
    bytes = value;
    return word.queue();
  }
  /// The batch's thread, or the monitor.
  void flush(bool succeeds = true) {
    if (!word.take()) return;
    if (succeeds) sent.fetch_add(bytes.get(), relaxed);
    succeeds ? word.sent() : word.failed();
  }
  /// The fiber, woken for whatever reason.
  void finish(WriteTicket ticket) {
    if (word.is_over(ticket)) return;
    if (!word.withdraw(ticket)) {
      while (word.fate(ticket) == WriteWord::Fate::kSending) cpu_relax();
      if (word.is_over(ticket)) return;
    }
    sent.fetch_add(bytes.get(), relaxed);  // by the fiber itself
    word.give_back();
  }

  Word word;
  model::Plain<int> bytes{0};
  Atomic<int> sent{0};
};

TEST(ModelWriteWord, EachWriteIsMadeOnceByTheThreadTheMonitorOrTheFiber) {
  model::expect_holds([] {
    Slot<WriteWord> slot;
    const WriteTicket ticket = slot.put_off(1);
    model::run({{"thread", [&] { slot.flush(); }}, {"monitor", [&] { slot.flush(); }}, {"fiber", [&] {
                                                                                          slot.finish(ticket);
                                                                                        }}});
    model::check(slot.sent.load(relaxed) == 1, "once");
    model::check(slot.word.is_free(), "free again");
  });
}

TEST(ModelWriteWord, AWriteThatFailsIsMadeByItsFiber) {
  model::expect_holds([] {
    Slot<WriteWord> slot;
    const WriteTicket ticket = slot.put_off(1);
    model::run({{"thread", [&] { slot.flush(false); }}, {"fiber", [&] { slot.finish(ticket); }}});
    model::check(slot.sent.load(relaxed) == 1, "once");
    model::check(slot.word.is_free(), "free again");
  });
}

// The slot is used again by the thread as soon as it is free: the fiber of the first write must not take the
// second for its own, nor read its bytes.
TEST(ModelWriteWord, AFiberThatComesLateLeavesTheNextWriteAlone) {
  model::expect_holds([] {
    Slot<WriteWord> slot;
    const WriteTicket ticket = slot.put_off(1);
    model::run({{"thread",
                 [&] {
                   slot.flush();
                   if (!slot.word.is_free()) return;  // held by the fiber
                   const WriteTicket next = slot.put_off(2);
                   slot.flush();
                   slot.finish(next);
                 }},
                {"fiber", [&] { slot.finish(ticket); }}});
    const int sent = slot.sent.load(relaxed);
    model::check(sent == 1 || sent == 3, "each once");
  });
}

/// Withdraws without looking whether somebody sends.
class BlindWriteWord : public WriteWord {
 public:
  bool withdraw(WriteTicket) noexcept {
    failed();
    return true;
  }
};

TEST(ModelWriteWord, PlantedABlindWithdrawalIsFound) {
  model::expect_fails(FailureKind::kCheck, [] {
    Slot<BlindWriteWord> slot;
    const WriteTicket ticket = slot.put_off(1);
    model::run({{"thread", [&] { slot.flush(); }}, {"fiber", [&] { slot.finish(ticket); }}});
    model::check(slot.sent.load(relaxed) == 1, "once");
  });
}

/// Looks whether the slot is free without acquiring what was done with its bytes.
class RelaxedWriteWord : public WriteWord {
 public:
  bool is_free() const noexcept { return free_.load(relaxed); }
  void give_back() noexcept {
    WriteWord::give_back();
    free_.store(true, relaxed);
  }

 private:
  Atomic<bool> free_{false};
};

TEST(ModelWriteWord, PlantedAReuseWithoutAcquireIsFound) {
  model::expect_fails(FailureKind::kDataRace, [] {
    Slot<RelaxedWriteWord> slot;
    slot.bytes = 1;
    const WriteTicket ticket = slot.word.queue();
    model::run({{"thread",
                 [&] {
                   if (slot.word.is_free()) slot.put_off(2);
                 }},
                {"fiber", [&] { slot.finish(ticket); }}});
  });
}

}  // namespace
}  // namespace weft
