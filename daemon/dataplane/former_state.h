// SPDX-License-Identifier: GPL-2.0-or-later
// What a data plane of another layout has pinned, read by the names of its types and members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/layout.h"
#include "dataplane/struct_translator.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class FormerState {
 public:
  /// `folder`: state_dir, or where its pins were set aside. An error if the kernel does not give the types
  /// away.
  static Result<FormerState> open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  /// As ours, but for `layout`.
  const xf_control& control() const { return control_; }
  bool is_newer() const { return control_.revision > XF_LAYOUT_REVISION; }

  Result<StructTranslator> translator(const std::string& type) const {
    return StructTranslator::between(types_.get(), own_types_.get(), type);
  }

  /// All elements of an array map, of which those beyond the end of ours are left out.
  template <class Value>
  Result<std::vector<Value>> array(const std::string& map, const std::string& type) const {
    const auto bytes = elements(map, type);
    if (!bytes) return bytes.error();
    std::vector<Value> values(bytes->size() / sizeof(Value));
    if (!values.empty()) std::memcpy(values.data(), bytes->data(), bytes->size());
    return values;
  }
  /// The counters of a per-CPU array, summed, one element after the other.
  Result<std::vector<uint64_t>> totals(const std::string& map, const std::string& type) const;

  /// Its program passes packets on uncounted from here on.
  Status stop_counting() const;
  /// Flows whose time is up stay what they are from here on.
  Status stop_clock() const;

 private:
  FormerState(std::string folder, OwnTypes own_types)
      : folder_(std::move(folder)), own_types_(std::move(own_types)) {}
  Status read_control();
  Result<std::vector<std::byte>> elements(const std::string& map, const std::string& type) const;

  std::string folder_;
  OwnTypes own_types_;
  std::shared_ptr<btf> types_;
  xf_control control_{};
};

/// Says which counters or properties start from zero, and which have no place here.
void report_losses(const std::string& what, const StructTranslator& translator);

}  // namespace xdpflowd
