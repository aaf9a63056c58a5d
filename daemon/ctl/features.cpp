// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/features.h"

#include <array>
#include <nlohmann/json.hpp>

#include "ctl/columns.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<Column, 3> feature_columns = {{{"FEATURE"}, {"THERE"}, {"MEANING"}}};
constexpr std::array<Column, 7> interface_columns = {{{"INTERFACE"},
                                                      {"KIND"},
                                                      {"DRIVER"},
                                                      {"NATIVE XDP"},
                                                      {"MULTI-BUFFER"},
                                                      {"RX-VLAN-OFFLOAD"},
                                                      {"MTU", Column::right}}};

std::string word(const std::optional<bool>& answer) {
  if (!answer) return "unknown";
  return *answer ? "yes" : "no";
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

Json or_null(const std::optional<bool>& answer) {
  return answer ? Json(*answer) : Json();
}

Row row_of(const Feature& feature) {
  return {feature.name, word(feature.available), feature.meaning};
}

Row row_of(const InterfaceFeatures& interface) {
  return {interface.name,
          or_dash(interface.kind),
          or_dash(interface.driver),
          word(interface.native_xdp),
          word(interface.multi_buffer),
          interface.rx_vlan_offload ? "on" : "off",
          std::to_string(interface.mtu)};
}

template <class Things>
void write_table(std::ostream& out, std::span<const Column> columns, const Things& things, size_t width) {
  ColumnLayout layout(columns);
  for (const auto& thing : things) layout.measure(row_of(thing));
  layout.break_lines(width);
  layout.write_header(out);
  for (const auto& thing : things) layout.write_row(out, row_of(thing));
}

}  // namespace

std::string features_json(const FeatureReport& report) {
  Json document{{"version", report.version}, {"kernel", report.kernel}};
  document["features"] = Json::array();
  for (const auto& feature : report.features)
    document["features"].push_back(
        {{"name", feature.name}, {"available", or_null(feature.available)}, {"meaning", feature.meaning}});
  document["interfaces"] = Json::array();
  for (const auto& interface : report.interfaces)
    document["interfaces"].push_back({{"name", interface.name},
                                      {"kind", interface.kind},
                                      {"driver", interface.driver},
                                      {"native_xdp", or_null(interface.native_xdp)},
                                      {"multi_buffer", or_null(interface.multi_buffer)},
                                      {"rx_vlan_offload", interface.rx_vlan_offload},
                                      {"mtu", interface.mtu}});
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

void write_features_text(std::ostream& out, const FeatureReport& report, size_t width) {
  out << "xdpflowd " << report.version << ", kernel " << report.kernel << "\n\n";
  write_table(out, feature_columns, report.features, width);
  out << '\n';
  write_table(out, interface_columns, report.interfaces, width);
}

}  // namespace xdpflowd
