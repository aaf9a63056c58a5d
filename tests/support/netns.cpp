// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "base/unique_fd.h"

namespace xdpflowd::test {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::string random_name() {
  std::random_device random;
  std::ostringstream name;
  name << "xf-" << std::hex << random();
  return name.str();
}

void enter(const std::string& path) {
  const UniqueFd netns(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!netns || setns(netns.get(), CLONE_NEWNET) != 0) give_up("cannot enter " + path);
}

void write_file(const std::string& path, const std::string& content) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), content.data(), content.size()) < 0) give_up("cannot write " + path);
}

std::string make_directory() {
  std::string path = "/tmp/xf-bpffs-XXXXXX";  // mkdtemp() fills in letters and digits
  if (mkdtemp(path.data()) == nullptr) give_up("cannot make " + path);
  return path;
}

std::string veth(const std::string& name, const char* mac, const std::string& peer, const char* peer_mac,
                 const Netns& peer_netns, const std::string& mtu) {
  return "link add " + name + " address " + mac + " mtu " + mtu + " type veth peer name " + peer +
         " address " + peer_mac + " mtu " + mtu + " netns " + peer_netns.name() + "\n";
}

/// nodad: else an address could not be used for a second.
std::string addresses(const std::string& device, const std::string& v4, const std::string& v6) {
  return "address add " + v4 + "/24 dev " + device + "\naddress add " + v6 + "/64 dev " + device +
         " nodad\nlink set " + device + " up\n";
}

std::string default_routes(const std::string& v4, const std::string& v6) {
  return "route add default via " + v4 + "\nroute add default via " + v6 + "\n";
}

std::string neighbours(const std::string& device, const char* mac, const std::string& v4,
                       const std::string& v6) {
  const std::string rest = std::string(" lladdr ") + mac + " dev " + device + " nud permanent\n";
  return "neighbour replace " + v4 + rest + "neighbour replace " + v6 + rest;
}

}  // namespace

Netns::Netns() : name_(random_name()), made_(Undo::mount(path())) {
  test::must_run({"ip", "netns", "add", name_});
  ip("link set lo up");
}

Argv Netns::command(const Argv& argv) const {
  Argv whole = {"nsenter", "--net=" + path(), "--"};
  whole.insert(whole.end(), argv.begin(), argv.end());
  return whole;
}

Outcome Netns::run(const Argv& argv, Milliseconds timeout) const {
  return test::run(command(argv), timeout);
}

std::string Netns::must_run(const Argv& argv) const {
  return test::must_run(command(argv));
}

void Netns::call(const std::function<void()>& function) const {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      enter(path());
      function();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

void Netns::set(const std::string& sysctl, const std::string& value) const {
  call([&] { write_file("/proc/sys/net/" + sysctl, value); });
}

void Netns::ip(const std::string& lines) const {
  test::must_run({"ip", "-n", name_, "-batch", "-"}, lines + "\n");
}

Lab::Lab(const LabOptions& options) {
  set_sysctls();
  make_links(options);
  set_addresses();
  if (options.static_neighbours) fix_neighbours();
  wait_until_ready();
}

void Lab::set_sysctls() {
  for (const Netns* netns : {&client, &router, &server}) {
    netns->set("ipv6/conf/default/accept_dad", "0");  // for the link-local addresses
  }
  router.set("ipv4/ip_forward", "1");
  router.set("ipv6/conf/all/forwarding", "1");
}

void Lab::make_links(const LabOptions& options) {
  const std::string mtu = std::to_string(options.mtu);
  client.ip(veth("client0", client_mac, "lan0", lan_mac, router, mtu));
  server.ip(veth("server0", server_mac, "wan0", wan_mac, router, mtu));
  if (options.segmentation_offload) return;
  for (const auto& [netns, device] : {std::pair(&client, "client0"), std::pair(&router, "lan0"),
                                      std::pair(&router, "wan0"), std::pair(&server, "server0")}) {
    netns->must_run({"ethtool", "-K", device, "tso", "off", "gso", "off", "gro", "off"});
  }
}

void Lab::set_addresses() {
  router.ip(addresses("lan0", lan4, lan6) + addresses("wan0", wan4, wan6));
  client.ip(addresses("client0", client4, client6) + default_routes(lan4, lan6));
  server.ip(addresses("server0", server4, server6) + default_routes(wan4, wan6));
}

void Lab::fix_neighbours() {
  client.ip(neighbours("client0", lan_mac, lan4, lan6));
  server.ip(neighbours("server0", wan_mac, wan4, wan6));
  router.ip(neighbours("lan0", client_mac, client4, client6) +
            neighbours("wan0", server_mac, server4, server6));
}

/// The kernel reports a new carrier up to a second late, and IPv6 waits for it.
void Lab::wait_until_ready() {
  for (const char* address : {server4, server6}) {
    const Argv ping = {"ping", "-n", "-q", "-c", "1", "-W", "1", address};
    if (!eventually(std::chrono::seconds(10), [&] { return client.run(ping).status == 0; })) {
      throw std::runtime_error(std::string("the lab's client cannot reach ") + address);
    }
  }
}

Bpffs::Bpffs() : path_(make_directory()), mounted_(Undo::mount(path_)) {
  if (::mount("bpf", path_.c_str(), "bpf", 0, "mode=0700") != 0) give_up("cannot mount bpffs on " + path_);
}

}  // namespace xdpflowd::test
