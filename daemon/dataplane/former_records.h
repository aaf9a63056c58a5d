// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"
#include "dataplane/event_ring.h"
#include "dataplane/struct_translator.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// The ring of records of a former layout. They stay in it until commit().
class FormerRecords {
 public:
  /// What was set aside below `state_dir`. Code ENOENT: nothing was.
  static Result<FormerRecords> open(const std::string& state_dir);

  size_t drain(size_t max, const std::function<void(const xf_record&)>& visit);
  void commit() { ring_.commit(); }

 private:
  FormerRecords(EventRing ring, StructTranslator records)
      : ring_(std::move(ring)), records_(std::move(records)) {}

  EventRing ring_;
  StructTranslator records_;
};

}  // namespace xdpflowd
