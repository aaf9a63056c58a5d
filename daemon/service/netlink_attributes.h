// SPDX-License-Identifier: GPL-2.0-or-later
// libmnl's own loops over attributes are C only.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>

namespace xdpflowd {

/// Calls `visit(type, attribute)`.
template <class Visit>
void for_each_attribute(const void* payload, size_t size, Visit visit) {
  const auto* attribute = static_cast<const nlattr*>(payload);
  const char* end = static_cast<const char*>(payload) + size;
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    visit(mnl_attr_get_type(attribute), attribute);
    attribute = mnl_attr_next(attribute);
  }
}

/// Those of a message, behind the header of its protocol.
template <class Visit>
void for_each_attribute(const nlmsghdr* message, size_t header, Visit visit) {
  for_each_attribute(mnl_nlmsg_get_payload_offset(message, header),
                     mnl_nlmsg_get_payload_len(message) - MNL_ALIGN(header), visit);
}

template <class Visit>
void for_each_nested(const nlattr* nest, Visit visit) {
  for_each_attribute(mnl_attr_get_payload(nest), static_cast<size_t>(mnl_attr_get_payload_len(nest)), visit);
}

}  // namespace xdpflowd
