// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "flow/names.h"

namespace xdpflowd {
namespace {

constexpr auto sort_names = std::to_array<std::string_view>({"name", "bytes", "packets", "age", "idle"});
static_assert(sort_names.size() == static_cast<size_t>(SortBy::idle) + 1);

/// Of enum xf_health, to `targets set`.
constexpr auto set_names = std::to_array<std::string_view>({"auto", "up", "down"});
static_assert(set_names.size() == XF_HEALTHS);

constexpr const char* general_help =
    "\nExamples:\n"
    "  xdpflowctl status\n"
    "  xdpflowctl flows --protocol tcp --port 443 --sort bytes --limit 20\n"
    "  xdpflowctl flows --table half_open --count\n"
    "  xdpflowctl flows --json | jq '.[] | select(.icmp_errors > 0)'\n"
    "  xdpflowctl flush --source 192.0.2.0/24\n"
    "  xdpflowctl targets --watch\n"
    "  xdpflowctl targets set gw-a down\n"
    "\nIt reads the pinned maps, so it works while the daemon is down. It needs root.\n"
    "Exit codes: 0 done; 1 failed; 2 wrong usage.";

constexpr const char* flows_help =
    "\nExamples:\n"
    "  xdpflowctl flows --sort bytes --limit 10       the ten largest\n"
    "  xdpflowctl flows --source 2001:db8::/32        started from this network\n"
    "  xdpflowctl flows --state syn_sent --count      how many wait for an answer\n"
    "\nPACKETS and BYTES are source/destination: what each end sent. Bytes are layer 3, IP header included.\n"
    "DIR: both, or one-way where only one side passes this router. TIMER: exact, or swept if the kernel\n"
    "had no memory for a timer and the flow is looked at in turns.";

constexpr const char* flush_help =
    "\nEnds flows at once, with records and counts as for any other end. Prints how many.\n"
    "Examples:\n"
    "  xdpflowctl flush --zone tenant-a\n"
    "  xdpflowctl flush --protocol udp --port 53\n"
    "  xdpflowctl flush                               all flows of all zones";

constexpr const char* targets_help =
    "\nExamples:\n"
    "  xdpflowctl targets --watch                     redrawn every second, until Ctrl-C\n"
    "  xdpflowctl targets --json | jq -r '.[] | select(.state == \"down\") | .name'\n"
    "  xdpflowctl targets set gw-a down               maintenance: down whatever the probes say\n"
    "\nLOSS is of the last 100 probes. ERROR is why the last probe failed. (forced): an operator said so,\n"
    "with `targets set`. (stale): nobody probes any more, this is what was known last.";

constexpr const char* set_help =
    "\nThe word stands above the probes', which go on, and stays over restarts of the daemon until `auto`\n"
    "takes it back. Works while the daemon is down.\n"
    "Examples:\n"
    "  xdpflowctl targets set gw-a down               take it out of service\n"
    "  xdpflowctl targets set gw-a auto               back to what its probes say";

constexpr const char* unload_help =
    "\nDetaches the programs from the interfaces and removes the pinned maps: all flows and counters are "
    "gone.\n"
    "Traffic goes on untracked. Refused while the daemon runs: stop it first, or say --force.";

/// What CLI11 writes into, before it is checked.
struct Typed {
  FilterText filter;
  std::optional<std::string> sort, limit;
  std::optional<std::string> target, health;  // of `targets set`
  bool set = false;
};

void add_text(CLI::App& app, const std::string& name, std::optional<std::string>& value, const char* kind,
              const std::string& help) {
  app.add_option_function<std::string>(
         name, [&value](const std::string& text) { value = text; }, help)
      ->type_name(kind);
}

void add_filters(CLI::App& app, FilterText& filter) {
  add_text(app, "--zone", filter.zone, "NAME", "Only this zone");
  add_text(app, "--protocol", filter.protocol, "PROTO", "tcp, udp, icmp, icmpv6 or a number");
  add_text(app, "--source", filter.source, "CIDR",
           "Who started the flow: an address or prefix, IPv4 or IPv6");
  add_text(app, "--destination", filter.destination, "CIDR", "Whom it was started to");
  add_text(app, "--port", filter.port, "PORT", "Port of either end (ICMP echo: the identifier)");
  add_text(app, "--state", filter.state, "STATE",
           "TCP: nf_conntrack's names, such as SYN_SENT; else UNREPLIED or REPLIED");
  add_text(app, "--table", filter.table, "TABLE", choice_of(table_names));
}

void add_flows(CLI::App& app, Typed& typed, Arguments& arguments) {
  CLI::App* flows = app.add_subcommand("flows", "List the live flows")->footer(flows_help);
  add_filters(*flows, typed.filter);
  add_text(*flows, "--sort", typed.sort, "KEY",
           choice_of(sort_names) + ", the largest first; by name unless given; --json alone: as read");
  add_text(*flows, "--limit", typed.limit, "N", "At most N flows");
  flows->add_flag("--count", arguments.count, "Print only how many flows match")
      ->excludes(flows->get_option("--sort"))
      ->excludes(flows->get_option("--limit"));
}

void add_targets(CLI::App& app, Typed& typed, Arguments& arguments) {
  CLI::App* targets = app.add_subcommand("targets", "List the health targets")->footer(targets_help);
  targets->add_flag("--watch", arguments.watch, "Again every second, until it is interrupted");
  CLI::App* set = targets->add_subcommand("set", "Show a target as up or down, whatever its probes say")
                      ->footer(set_help);
  set->callback([&typed] { typed.set = true; });
  add_text(*set, "target", typed.target, "NAME", "Its name in the configuration");
  add_text(*set, "state", typed.health, "STATE", "up, down, or auto: as its probes say");
}

/// Options that stand on either side of the command.
void add_general(CLI::App& app, Arguments& arguments) {
  app.add_option("--state-dir", arguments.state_dir, "Where the daemon pinned its maps")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_flag("--json", arguments.json, "One JSON document instead of text");
}

void add_commands(CLI::App& app, Typed& typed, Arguments& arguments) {
  app.require_subcommand(1);
  app.add_subcommand("status", "Daemon, interfaces, zones and what was lost");
  add_flows(app, typed, arguments);
  CLI::App* flush =
      app.add_subcommand("flush", "End the flows that match; all, if nothing is said")->footer(flush_help);
  add_filters(*flush, typed.filter);
  add_targets(app, typed, arguments);
  app.add_subcommand("features", "What this kernel and these interfaces allow, before anything is attached");
  CLI::App* unload = app.add_subcommand("unload", "Remove programs and pinned maps")->footer(unload_help);
  unload->add_flag("--force", arguments.force, "Also under a running daemon");
  add_general(app, arguments);
  for (CLI::App* command : app.get_subcommands({})) {
    add_general(*command, arguments);
    for (CLI::App* action : command->get_subcommands({})) add_general(*action, arguments);
  }
}

Status read_sort(const std::optional<std::string>& text, std::optional<SortBy>& sort) {
  if (!text) return ok();
  const auto index = index_in(sort_names, *text);
  if (!index) return usage_error("--sort: \"" + *text + "\" is not an order; say " + choice_of(sort_names));
  sort = static_cast<SortBy>(*index);
  return ok();
}

Status read_limit(const std::optional<std::string>& text, std::optional<uint64_t>& limit) {
  if (!text) return ok();
  limit = decimal_number(*text);
  if (limit && *limit > 0) return ok();
  return usage_error("--limit: \"" + *text + "\" is not a number of flows; say 1 or more");
}

/// Not the parser's business: it would name the two by other words than the help does.
Status read_set(const Typed& typed, Arguments& arguments) {
  if (!typed.set) return ok();
  if (!typed.target || !typed.health)
    return usage_error("say which target and what it is to be: xdpflowctl targets set NAME up|down|auto");
  const auto health = index_in(set_names, *typed.health);
  if (!health)
    return usage_error("\"" + *typed.health + "\" is not a state of a target; say up, down or auto");
  if (arguments.watch) return usage_error("--watch shows targets, it does not set one; leave it out");
  arguments.command = Command::set_target;
  arguments.target = *typed.target;
  arguments.health = static_cast<xf_health>(*health);
  return ok();
}

Command command_named(const std::string& name) {
  if (name == "flows") return Command::flows;
  if (name == "flush") return Command::flush;
  if (name == "targets") return Command::targets;
  if (name == "features") return Command::features;
  return name == "unload" ? Command::unload : Command::status;
}

Result<Arguments> check(const Typed& typed, const std::string& command, Arguments arguments) {
  arguments.command = command_named(command);
  auto filter = FlowFilter::parse(typed.filter);
  if (!filter) return filter.error();
  arguments.filter = std::move(*filter);
  if (const Status sort = read_sort(typed.sort, arguments.sort); !sort) return sort.error();
  if (const Status limit = read_limit(typed.limit, arguments.limit); !limit) return limit.error();
  if (const Status set = read_set(typed, arguments); !set) return set.error();
  return arguments;
}

/// The word that nobody understood; an unknown option rather than what may have been its value.
std::string stray_word(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(true);
  if (words.empty()) return "";
  const auto option = std::ranges::find_if(words, [](const auto& word) { return word.starts_with('-'); });
  return "\"" + (option == words.end() ? words.front() : *option) + "\"";
}

/// One line, and where to read more.
Error explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  const std::string stray = stray_word(app);
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error))
    message = stray.empty() ? "say a command: status, flows, flush, targets, features or unload"
                            : "there is no command " + stray;
  else if (!stray.empty())
    message = "there is no option or argument " + stray + (command.empty() ? "" : " for" + command);
  std::ranges::replace(message, '\n', ' ');
  return usage_error(message + "; see xdpflowctl" + command + " --help");
}

}  // namespace

Result<Arguments> parse_arguments(int argc, const char* const* argv, const std::string& version) {
  Typed typed;
  Arguments arguments;
  CLI::App app("Shows and changes the flows and health targets of xdpflowd.", "xdpflowctl");
  app.footer(general_help);
  app.set_version_flag("--version", "xdpflowctl " + version);
  add_commands(app, typed, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    arguments.answer = app.help();
    return arguments;
  } catch (const CLI::CallForVersion& called) {
    arguments.answer = std::string(called.what()) + "\n";
    arguments.version = true;
    return arguments;
  } catch (const CLI::ParseError& error) {
    return explain(app, error);
  }
  return check(typed, app.get_subcommands().front()->get_name(), std::move(arguments));
}

}  // namespace xdpflowd
