// The one way a function says that it failed: Result<T>. No bool, no sentinel, no exception
// crosses a room's border; a library's exceptions are turned into an Error at its adapter.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace hive {

// What went wrong, in the terms on which a caller decides. Whether to try again follows from the
// code alone (see retryable()).
enum class Errc {
  kInvalidArgument,     // the caller's input is wrong; trying again cannot help
  kNotFound,            // the named thing does not exist
  kAlreadyExists,       // a thing of that name is there already
  kConflict,            // stale version index: read again, merge, write again
  kUnauthenticated,     // no or wrong credentials
  kPermissionDenied,    // credentials are known, the right is missing
  kFailedPrecondition,  // the world is not in the state that the call needs
  kUnavailable,         // the other side is not there or answers with a passing fault
  kDeadlineExceeded,    // no answer within the deadline; the effect is unknown
  kThrottled,           // told to slow down; retry_after may say for how long
  kResourceExhausted,   // disk, memory, ports, a bound of our own
  kUnsupported,         // this engine, kernel or version cannot do it
  kCorrupt,             // data that does not parse or contradicts itself
  kCancelled,           // stopped by us
  kInternal,            // a defect of ours
};

std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::kInternal;
  // One sentence, no final full stop: what failed, with which values, and what to do instead.
  std::string message;
  std::optional<std::chrono::milliseconds> retry_after;
};

// True for codes where the same call may succeed later with nothing changed by us.
bool retryable(Errc code);

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::nullopt});
}

// Puts `where` in front of the message: "joining node-3: connection refused".
inline tl::unexpected<Error> annotate(Error error, std::string_view where) {
  error.message = std::string(where) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

// "unavailable: connection refused", for logs.
std::string describe(const Error& error);

}  // namespace hive

// Evaluates a Result; on failure returns its error from the enclosing function.
#define HIVE_CONCAT_INNER(a, b) a##b
#define HIVE_CONCAT(a, b) HIVE_CONCAT_INNER(a, b)
#define HIVE_TRY(expression)                                                 \
  do {                                                                       \
    auto hive_status = (expression);                                         \
    if (!hive_status) return tl::unexpected(std::move(hive_status).error()); \
  } while (false)
// HIVE_ASSIGN(auto nodes, engine.list_nodes());
#define HIVE_ASSIGN(declaration, expression) \
  HIVE_ASSIGN_INNER(HIVE_CONCAT(hive_result_, __LINE__), declaration, expression)
#define HIVE_ASSIGN_INNER(name, declaration, expression)     \
  auto name = (expression);                                  \
  if (!name) return tl::unexpected(std::move(name).error()); \
  declaration = std::move(*name)
