// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/explorer/plain.hpp"

#include <utility>

namespace weft::model {

/// What is sent through the channels of models: each move is seen, and so who moves it at the same time as
/// somebody else looks at it.
class Item {
 public:
  static constexpr int kMoved = -1;

  explicit Item(int number) : number_(number) {}
  Item(Item&& other) noexcept : number_(other.number_.get()) { other.number_ = kMoved; }
  Item& operator=(Item&& other) noexcept {
    number_ = other.number();
    other.number_ = kMoved;
    return *this;
  }

  int number() const { return number_; }
  bool moved() const { return number_ == kMoved; }

 private:
  Plain<int> number_;
};

}  // namespace weft::model
