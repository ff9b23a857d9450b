// State to bytes and back, for what shall survive a restart: little-endian, floats as 4 bytes, with
// every list's length. A class lists its fields once, in `template <class A> void fields(A& a)`.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hive::decide::forecast {

class StateWriter {
 public:
  void operator()(double value) { word(std::bit_cast<std::uint32_t>(static_cast<float>(value))); }
  void operator()(float value) { word(std::bit_cast<std::uint32_t>(value)); }
  void operator()(std::int64_t value) {
    word(static_cast<std::uint32_t>(value));
    word(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32));
  }
  void operator()(int value) { word(static_cast<std::uint32_t>(value)); }
  template <class T>
  void operator()(std::vector<T>& list) {
    word(static_cast<std::uint32_t>(list.size()));
    for (T& one : list) (*this)(one);
  }
  template <class T>
  requires std::is_class_v<T>
  void operator()(T& object) { object.fields(*this); }
  template <class... More>
  requires(sizeof...(More) > 1) void operator()(More&... more) { ((*this)(more), ...); }
  std::string take() { return std::move(bytes_); }

 private:
  void word(std::uint32_t value) {
    std::array<char, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    bytes_.append(bytes.data(), bytes.size());
  }
  std::string bytes_;
};

// Lists must have the length that the object already has (its shape is fixed by its parameters):
// anything else, and bytes that are missing or left over, make ok() false.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}
  void operator()(double& value) {
    const float read = std::bit_cast<float>(word());
    if (read != read || read > 1e30F || read < -1e30F) bad_ = true;
    value = static_cast<double>(read);
  }
  void operator()(float& value) {
    double wide = 0;
    (*this)(wide);
    value = static_cast<float>(wide);
  }
  void operator()(std::int64_t& value) {
    const std::uint64_t low = word();
    value = static_cast<std::int64_t>(low | static_cast<std::uint64_t>(word()) << 32);
  }
  void operator()(int& value) { value = static_cast<int>(word()); }
  template <class T>
  void operator()(std::vector<T>& list) {
    if (word() != list.size()) bad_ = true;
    if (bad_) return;
    for (T& one : list) (*this)(one);
  }
  template <class T>
  requires std::is_class_v<T>
  void operator()(T& object) { object.fields(*this); }
  template <class... More>
  requires(sizeof...(More) > 1) void operator()(More&... more) { ((*this)(more), ...); }
  bool ok() const { return !bad_ && bytes_.empty(); }

 private:
  std::uint32_t word() {
    if (bytes_.size() < 4) {
      bad_ = true;
      return 0;
    }
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes_[static_cast<std::size_t>(i)]);
    bytes_.remove_prefix(4);
    return value;
  }
  std::string_view bytes_;
  bool bad_ = false;
};

}  // namespace hive::decide::forecast
