#include "base/result.h"

namespace hive {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
      return "invalid argument";
    case Errc::kNotFound:
      return "not found";
    case Errc::kAlreadyExists:
      return "already exists";
    case Errc::kConflict:
      return "conflict";
    case Errc::kUnauthenticated:
      return "unauthenticated";
    case Errc::kPermissionDenied:
      return "permission denied";
    case Errc::kFailedPrecondition:
      return "failed precondition";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kDeadlineExceeded:
      return "deadline exceeded";
    case Errc::kThrottled:
      return "throttled";
    case Errc::kResourceExhausted:
      return "resource exhausted";
    case Errc::kUnsupported:
      return "unsupported";
    case Errc::kCorrupt:
      return "corrupt";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kInternal:
      return "internal";
  }
  return "unknown";
}

bool retryable(Errc code) {
  return code == Errc::kUnavailable || code == Errc::kDeadlineExceeded ||
         code == Errc::kThrottled || code == Errc::kConflict;
}

std::string describe(const Error& error) {
  return std::string(to_string(error.code)) + ": " + error.message;
}

}  // namespace hive
