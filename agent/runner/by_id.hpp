// SPDX-License-Identifier: Apache-2.0
// The instances of a runner by id. Ids of one plugin lie close together, so they stand in pieces of neighbours: a node of a
// hash table for each would take more than its place in such a piece.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

namespace ronda::runner {

template <class T>
class ById {
 public:
  void put(std::uint32_t id, std::shared_ptr<T> what) {
    Piece& piece = pieces_[id / piece_size];
    auto& place = piece.places[id % piece_size];
    if (place == nullptr) ++piece.used;
    place = std::move(what);
  }

  /// Null: none has this id.
  std::shared_ptr<T> find(std::uint32_t id) const {
    const auto piece = pieces_.find(id / piece_size);
    return piece == pieces_.end() ? nullptr : piece->second.places[id % piece_size];
  }

  /// One that is not there is no mistake.
  void erase(std::uint32_t id) {
    const auto piece = pieces_.find(id / piece_size);
    if (piece == pieces_.end() || piece->second.places[id % piece_size] == nullptr) return;
    piece->second.places[id % piece_size].reset();
    if (--piece->second.used == 0) pieces_.erase(piece);
  }

  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [number, piece] : pieces_) {
      for (const auto& one : piece.places) {
        if (one != nullptr) visit(*one);
      }
    }
  }

 private:
  static constexpr std::size_t piece_size = 32;
  struct Piece {
    std::array<std::shared_ptr<T>, piece_size> places;
    std::size_t used = 0;
  };
  std::unordered_map<std::uint32_t, Piece> pieces_;
};

}  // namespace ronda::runner
