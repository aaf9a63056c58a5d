// SPDX-License-Identifier: GPL-2.0-or-later
// One way to fail: a function that can fail returns Result<T>, and its caller adds context on the way up.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace xdpflowd {

struct Error {
  enum class Kind {
    failed,  // exit code 1
    usage,   // exit code 2: wrong arguments or configuration
  };

  std::string message;  // one line: what failed, why, and what to do where that is known
  int code = 0;         // errno where there is one, else 0
  Kind kind = Kind::failed;
};

inline Error fail(std::string message) {
  return {std::move(message), 0, Error::Kind::failed};
}
inline Error usage_error(std::string message) {
  return {std::move(message), 0, Error::Kind::usage};
}

/// `code` is an errno, positive or negated as libbpf returns it.
inline Error system_error(int code, const std::string& what) {
  code = code < 0 ? -code : code;
  return {what + ": " + std::strerror(code), code, Error::Kind::failed};
}

/// The same error, said by somebody who knows more: "context: message".
inline Error in_context(Error error, const std::string& context) {
  error.message = context + ": " + error.message;
  return error;
}

template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  Result(T value) : outcome_(std::move(value)) {}
  Result(Error error) : outcome_(std::move(error)) {}

  explicit operator bool() const { return outcome_.index() == 0; }
  T& operator*() { return std::get<0>(outcome_); }
  const T& operator*() const { return std::get<0>(outcome_); }
  T* operator->() { return &std::get<0>(outcome_); }
  const T* operator->() const { return &std::get<0>(outcome_); }
  const Error& error() const { return std::get<1>(outcome_); }

 private:
  std::variant<T, Error> outcome_;
};

using Status = Result<std::monostate>;
inline Status ok() {
  return std::monostate{};
}

}  // namespace xdpflowd
