// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

struct btf;

namespace xdpflowd {

/// Makes a struct of ours of one that another version of the source declared: member by member, by their
/// names. Smaller integers are extended. The kernel's own structs (bpf_timer) and padding (zero...) are left
/// zero. Of a union, the first member counts.
class StructTranslator {
 public:
  /// The struct `name` of both; an error if one of them has none.
  static Result<StructTranslator> between(const btf* theirs, const btf* ours, const std::string& name);

  size_t their_size() const { return their_size_; }
  size_t our_size() const { return our_size_; }
  /// `value` has our_size() bytes; members that are not in `theirs` become zero.
  void translate(const void* theirs, void* value) const;

  /// Which of these members of ours cannot be had, and why: "created_ns is not there, ..."; "" if all can.
  std::string lacking(const std::vector<std::string>& members) const;
  /// Why members of ours stay zero: "forward.packets has 16 bytes there, 8 here".
  const std::vector<std::string>& gaps() const { return gaps_; }
  /// Members of theirs that have no place in ours.
  const std::vector<std::string>& left_over() const { return left_over_; }

 private:
  friend class TranslationPlanner;

  struct Copy {
    size_t from, to, from_size, to_size;
    bool is_signed;
  };

  std::vector<Copy> copies_;
  std::vector<std::string> gaps_;
  std::vector<std::string> left_over_;
  size_t their_size_ = 0, our_size_ = 0;
};

}  // namespace xdpflowd
