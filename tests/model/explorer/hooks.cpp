// SPDX-License-Identifier: Apache-2.0
// The operations of atomics, as steps of the execution that is going on.
#include "model/explorer/hooks.hpp"

#include "model/explorer/execution.hpp"

namespace weft::model::hooks {
namespace {

/// What the operation touches in the single order of seq_cst operations: those on different locations need no
/// order of their own, but fences are ordered with all of them.
void add_sc_accesses(Operation& operation) noexcept {
  if (!is_sc(operation.order)) return;
  operation.footprint.add(operation.location, Facet::kScOrder, true);
  operation.footprint.add(kScFences, false);
}

Operation announce(Action action, void* object, unsigned size, std::memory_order order, Where where) {
  Operation operation;
  operation.action = action;
  operation.order = order;
  operation.where = where;
  operation.location = Execution::current().location(object, size, where);
  operation.footprint.add(operation.location, Facet::kValue, action != Action::kLoad);
  add_sc_accesses(operation);
  return operation;
}

const Store& note_read(Operation& done, std::uint16_t index) noexcept {
  Execution& execution = Execution::current();
  const Store& store = execution.memory().at(done.location).stores[index];
  done.read = store.value;
  done.store = index;
  done.newest = execution.memory().newest(done.location);
  done.source = store.event;
  execution.watch(done.location, index);
  return store;
}

/// A load of any store that may be read.
std::uint64_t read_some(Operation& done, std::memory_order order) {
  Execution& execution = Execution::current();
  Memory& memory = execution.memory();
  const std::uint16_t newest = memory.newest(done.location);
  const std::uint16_t oldest = memory.oldest_readable(execution.knowledge(), done.location, order);
  const unsigned back = execution.choose(newest - oldest + 1u);
  const auto index = static_cast<std::uint16_t>(newest - back);
  const std::uint64_t value = note_read(done, index).value;
  memory.read(execution.knowledge(), done.location, index, order);
  return value;
}

void write(Operation& done, std::uint64_t value, bool continues) {
  Execution& execution = Execution::current();
  done.written = value;
  execution.memory().write(execution.knowledge(), done.location, value, done.order, execution.event(),
                           continues);
  done.store = done.newest = execution.memory().newest(done.location);
  execution.watch(done.location, done.store);
}

std::uint64_t modify_newest(Operation& done, std::uint64_t value) {
  Execution& execution = Execution::current();
  const std::uint64_t old = note_read(done, execution.memory().newest(done.location)).value;
  execution.memory().read(execution.knowledge(), done.location, done.store, done.order);
  write(done, value, true);
  return old;
}

}  // namespace

std::uint64_t load(void* object, unsigned size, std::memory_order order, Where where) noexcept {
  Operation operation = announce(Action::kLoad, object, size, order, where);
  operation.reads_any_candidate = !is_sc(order);
  return read_some(Execution::current().take_turn(operation), order);
}

void store(void* object, unsigned size, std::uint64_t value, std::memory_order order, Where where) noexcept {
  write(Execution::current().take_turn(announce(Action::kStore, object, size, order, where)), value, false);
}

std::uint64_t modify(void* object, unsigned size, Change change, std::uint64_t operand,
                     std::memory_order order, Where where) noexcept {
  Execution& execution = Execution::current();
  Operation& done = execution.take_turn(announce(Action::kModify, object, size, order, where));
  const std::uint64_t old = execution.memory().at(done.location).stores.back().value;
  return modify_newest(done, change(old, operand));
}

bool compare_exchange(void* object, unsigned size, Exchange& exchange, Where where) noexcept {
  Execution& execution = Execution::current();
  Operation& done =
      execution.take_turn(announce(Action::kCompareExchange, object, size, exchange.success, where));
  Memory& memory = execution.memory();
  const std::vector<Store>& stores = memory.at(done.location).stores;
  const std::uint16_t newest = memory.newest(done.location);
  // It fails if it reads anything else than what is expected: the newest store, or, as any load, an older
  // one.
  std::vector<std::uint16_t> failures;
  const std::uint16_t oldest = memory.oldest_readable(execution.knowledge(), done.location, exchange.failure);
  for (std::uint16_t i = newest + 1u; i-- > oldest;) {
    if (stores[i].value != exchange.expected) failures.push_back(i);
  }
  const bool may_succeed = stores[newest].value == exchange.expected;
  const unsigned chosen = execution.choose(static_cast<unsigned>(failures.size()) + (may_succeed ? 1u : 0u));
  if (may_succeed && chosen == 0 && !(exchange.weak && execution.choose_spurious())) {
    modify_newest(done, exchange.desired);
    return true;
  }
  const std::uint16_t index = !may_succeed ? failures[chosen] : chosen == 0 ? newest : failures[chosen - 1];
  done.succeeded = false;
  done.order = exchange.failure;
  done.footprint = {};
  done.footprint.add(done.location, Facet::kValue, false);
  add_sc_accesses(done);
  done.reads_any_candidate = !is_sc(exchange.failure);
  exchange.expected = note_read(done, index).value;
  memory.read(execution.knowledge(), done.location, index, exchange.failure);
  return false;
}

void fence(Where where) noexcept {
  Operation operation;
  operation.action = Action::kFence;
  operation.order = std::memory_order_seq_cst;
  operation.where = where;
  operation.footprint.add(kScFences, true);
  Execution& execution = Execution::current();
  execution.take_turn(operation);
  execution.memory().fence(execution.knowledge());
}

void spin(Where where) noexcept { Execution::current().spin(where); }

void begin_life(void* object) noexcept { Execution::current().memory().begin_life(object); }

// A step, so that uses come before it and, if they can, behind it.
void end_life(void* object, Where where) noexcept {
  Execution& execution = Execution::current();
  const LocationIndex known = execution.memory().find(object);
  if (known == kNoLocation) return;
  Operation operation;
  operation.action = Action::kEnd;
  operation.where = where;
  operation.location = known;
  operation.footprint.add(known, Facet::kValue, true);
  execution.take_turn(operation);
  execution.memory().at(known).ended = true;
}

}  // namespace weft::model::hooks
