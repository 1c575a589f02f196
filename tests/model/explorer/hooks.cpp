// SPDX-License-Identifier: Apache-2.0
// The operations of atomics, as steps of the execution that is going on.
#include "model/explorer/hooks.hpp"

#include "model/explorer/execution.hpp"

#include <cstring>

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

/// While the body is alone, everything that was done before is known to it: what no thread has used yet acts
/// on memory, without a history.
bool needs_no_history(const void* object) noexcept {
  Execution& execution = Execution::current();
  return execution.alone() && execution.memory().find(object) == kNoLocation;
}

std::uint64_t bits_at(const void* object, unsigned size) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, object, size);
  return bits;
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
  if (needs_no_history(object)) return bits_at(object, size);
  Operation operation = announce(Action::kLoad, object, size, order, where);
  operation.reads_any_candidate = !is_sc(order);
  return read_some(Execution::current().take_turn(operation), order);
}

void store(void* object, unsigned size, std::uint64_t value, std::memory_order order, Where where) noexcept {
  if (needs_no_history(object)) {
    std::memcpy(object, &value, size);
    return;
  }
  write(Execution::current().take_turn(announce(Action::kStore, object, size, order, where)), value, false);
}

std::uint64_t modify(void* object, unsigned size, Change change, std::uint64_t operand,
                     std::memory_order order, Where where) noexcept {
  if (needs_no_history(object)) {
    const std::uint64_t before = bits_at(object, size);
    const std::uint64_t after = change(before, operand);
    std::memcpy(object, &after, size);
    return before;
  }
  Execution& execution = Execution::current();
  Operation& done = execution.take_turn(announce(Action::kModify, object, size, order, where));
  const std::uint64_t old = execution.memory().at(done.location).stores.back().value;
  return modify_newest(done, change(old, operand));
}

namespace {

/// The stores that a compare-exchange may read in vain, newest first: what differs from the expected value.
std::vector<std::uint16_t> failing_stores(LocationIndex location, const Exchange& exchange) {
  Execution& execution = Execution::current();
  const std::vector<Store>& stores = execution.memory().at(location).stores;
  const std::uint16_t oldest =
      execution.memory().oldest_readable(execution.knowledge(), location, exchange.failure);
  std::vector<std::uint16_t> failing;
  for (std::size_t i = stores.size(); i-- > oldest;) {
    if (stores[i].value != exchange.expected) failing.push_back(static_cast<std::uint16_t>(i));
  }
  return failing;
}

void fail_reading(Operation& done, std::uint16_t index, Exchange& exchange) {
  Execution& execution = Execution::current();
  done.succeeded = false;
  done.order = exchange.failure;
  done.footprint = {};
  done.footprint.add(done.location, Facet::kValue, false);
  add_sc_accesses(done);
  done.reads_any_candidate = !is_sc(exchange.failure);
  exchange.expected = note_read(done, index).value;
  execution.memory().read(execution.knowledge(), done.location, index, exchange.failure);
}

bool compare_exchange_without_history(void* object, unsigned size, Exchange& exchange) noexcept {
  const std::uint64_t before = bits_at(object, size);
  const bool equal = before == exchange.expected;
  if (equal) std::memcpy(object, &exchange.desired, size);
  exchange.expected = before;
  return equal;
}

}  // namespace

bool compare_exchange(void* object, unsigned size, Exchange& exchange, Where where) noexcept {
  if (needs_no_history(object)) return compare_exchange_without_history(object, size, exchange);
  Execution& execution = Execution::current();
  Operation& done =
      execution.take_turn(announce(Action::kCompareExchange, object, size, exchange.success, where));
  const std::uint16_t newest = execution.memory().newest(done.location);
  const bool may_succeed = execution.memory().at(done.location).stores[newest].value == exchange.expected;
  const std::vector<std::uint16_t> failing = failing_stores(done.location, exchange);
  const unsigned chosen = execution.choose(static_cast<unsigned>(failing.size()) + (may_succeed ? 1u : 0u));
  if (!may_succeed) {
    fail_reading(done, failing[chosen], exchange);
  } else if (chosen != 0) {
    fail_reading(done, failing[chosen - 1], exchange);
  } else if (exchange.weak && execution.choose_spurious()) {
    fail_reading(done, newest, exchange);
  } else {
    modify_newest(done, exchange.desired);
    return true;
  }
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
