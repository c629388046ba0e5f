// The two functions of liblz4 that Verilator's FST writer calls, so that waves need zlib alone.
//
// They write the LZ4 block format without compressing: one sequence of literals, its length in the
// token's upper 4 bits, from 15 on continued in bytes that add up to 255 each (LZ4 block format
// description, "Compressed block format").
#pragma once

#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* from, char* to, int size, int capacity) {
    if (capacity < LZ4_compressBound(size)) return 0;
    char* out = to;
    if (size < 15) {
        *out++ = static_cast<char>(size << 4);
    } else {
        *out++ = static_cast<char>(15 << 4);
        int more = size - 15;
        for (; more >= 255; more -= 255) *out++ = static_cast<char>(255);
        *out++ = static_cast<char>(more);
    }
    std::memcpy(out, from, size);
    return static_cast<int>(out - to) + size;
}
