// A network as a list of steps over one piece of memory, which is all the state a stream has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "models/options.h"
#include "runtime/aligned_array.h"
#include "runtime/planes.h"

namespace ernn {

/// A vector in a program's memory.
struct Wire {
  std::size_t at = 0;
  Layout layout;
};

/// Value is float, or int32 for codes. Built once; run() changes nothing but the memory.
template <class Value>
class Program {
 public:
  using Step = std::function<void(Value* memory)>;

  /// Room for a vector of this layout, zero before the first frame and after a reset.
  Wire reserve(const Layout& layout) {
    const Wire wire{size_, layout};
    // Registers may reach past the last element into the next one's room, but not past the end.
    size_ += layout.size() + kGroup;
    return wire;
  }
  void add(Step step) { steps_.push_back(std::move(step)); }

  /// The same vector in another layout.
  Wire arrange(const Wire& from, const Layout& layout) {
    if (from.layout == layout) return from;
    const Wire to = reserve(layout);
    std::vector<Move> moves;
    for (int u = 0; u < layout.count; ++u)
      moves.push_back({from.at + from.layout.position(u), to.at + layout.position(u)});
    add([moves](Value* memory) {
      for (const Move& move : moves) memory[move.to] = memory[move.from];
    });
    return to;
  }
  /// The frames of `from` at these offsets (LayerOptions::offsets), one behind the other.
  Wire join_frames(const Wire& from, const std::vector<int>& offsets) {
    const auto width = static_cast<std::size_t>(from.layout.count);
    const auto reach = static_cast<std::size_t>(-offsets.front());
    const auto lengths = [](std::size_t frames, std::size_t of) {
      return Layout{static_cast<int>(frames * of), 1};
    };
    // The oldest frame first.
    const Wire line = reserve(lengths(reach + 1, width));
    const Wire joined = reserve(lengths(offsets.size(), width));
    std::vector<Move> moves;
    for (std::size_t i = 0; i < width; ++i) {
      moves.push_back(
          {from.at + from.layout.position(static_cast<int>(i)), line.at + reach * width + i});
    }
    add([=](Value* memory) {
      Value* const frames = memory + line.at;
      std::copy(frames + width, frames + (reach + 1) * width, frames);
      for (const Move& move : moves) memory[move.to] = memory[move.from];
      Value* to = memory + joined.at;
      for (const int offset : offsets) {
        const std::size_t frame = reach - static_cast<std::size_t>(-offset);
        to = std::copy_n(frames + frame * width, width, to);
      }
    });
    return joined;
  }
  /// Sets the elements behind the last one to zero, for those who transform whole blocks.
  void clear_padding(const Wire& wire) {
    std::vector<std::size_t> places;
    for (int i = 0; i < wire.layout.padding(); ++i)
      places.push_back(wire.at + wire.layout.position(wire.layout.count + i));
    if (places.empty()) return;
    add([places](Value* memory) {
      for (const std::size_t place : places) memory[place] = 0;
    });
  }

  /// Constants of the program, at addresses that stay.
  template <class T>
  T* constants(std::size_t size) {
    if constexpr (std::is_same_v<T, float>) {
      return floats_.emplace_back(size).data();
    } else {
      return integers_.emplace_back(size).data();
    }
  }
  /// `values` laid out in planes: element i of part p at [p * part + layout.position(i)].
  template <class T>
  Value* planes_of(const std::vector<T>& values, const Layout& layout, int parts = 1) {
    const auto room = layout.size();
    Value* const planes = constants<Value>(static_cast<std::size_t>(parts) * room + kGroup);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto count = static_cast<std::size_t>(layout.count);
      planes[i / count * room + layout.position(static_cast<int>(i % count))] =
          static_cast<Value>(values[i]);
    }
    return planes;
  }
  std::vector<int>& numbers() { return numbers_.emplace_back(); }

  /// Numbers of memory that a stream needs.
  std::size_t size() const { return size_; }
  void run(Value* memory) const {
    for (const Step& step : steps_) step(memory);
  }

  Wire input, output;  ///< in natural order

 private:
  struct Move {
    std::size_t from, to;
  };

  std::size_t size_ = kGroup;
  std::vector<Step> steps_;
  std::deque<AlignedArray<float>> floats_;
  std::deque<AlignedArray<std::int32_t>> integers_;
  std::deque<std::vector<int>> numbers_;
};

/// Sizes of the tiles that `groups` groups are read in, as for_tiles() (runtime/kernels/products.h)
/// walks them.
std::vector<int> tile_sizes(int groups, int most);

ElementFunction element_function(Activation activation);

}  // namespace ernn
