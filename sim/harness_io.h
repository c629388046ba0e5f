// Bytes on standard input -> frames; what the gate did -> records on standard output.
// All numbers are little-endian, as on every machine that Verilator's wide words are copied on.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// Repeatable random numbers (splitmix64).
class Random {
    uint64_t m_state;

public:
    explicit Random(uint64_t seed)
        : m_state{seed} {}
    uint64_t next() {
        uint64_t z = m_state += 0x9e3779b97f4a7c15ULL;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
        return z ^ z >> 31;
    }
    // True with probability `share`; draws nothing when that is 0.
    bool chance(double share) { return share > 0 && (next() >> 11) * 0x1p-53 < share; }
    // A pointer to `size` random bytes out of a pool.
    const uint8_t* noise(size_t size) {
        if (m_pool.empty()) {
            for (int i = 0; i < 512; ++i) {
                const uint64_t word = next();
                const auto* bytes = reinterpret_cast<const uint8_t*>(&word);
                m_pool.insert(m_pool.end(), bytes, bytes + sizeof word);
            }
        }
        m_at += size;
        if (m_at + size > m_pool.size()) m_at = next() % 64;
        return m_pool.data() + m_at;
    }

private:
    std::vector<uint8_t> m_pool;
    size_t m_at = 0;
};

// Standard output with a large buffer.
class Output {
    std::vector<uint8_t> m_buffer;

public:
    Output() { m_buffer.reserve(SIZE + 0x20000); }
    void bytes(const void* data, size_t size) {
        const auto* from = static_cast<const uint8_t*>(data);
        m_buffer.insert(m_buffer.end(), from, from + size);
        if (m_buffer.size() >= SIZE) flush();
    }
    template <class T> void number(T value) { bytes(&value, sizeof value); }
    void flush() {
        size_t done = 0;
        while (done < m_buffer.size()) {
            const ssize_t n = write(1, m_buffer.data() + done, m_buffer.size() - done);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) std::_Exit(3);  // Nobody reads any more.
            done += n;
        }
        m_buffer.clear();
    }

private:
    static constexpr size_t SIZE = 1 << 18;
};

// Standard input; output is flushed before it waits, so that whoever writes can follow.
class Input {
    std::vector<uint8_t> m_buffer = std::vector<uint8_t>(1 << 18);
    size_t m_at = 0, m_end = 0;
    Output& m_output;

public:
    explicit Input(Output& output)
        : m_output{output} {}
    // False at the end of the input.
    bool bytes(void* to, size_t size) {
        auto* out = static_cast<uint8_t*>(to);
        while (size) {
            if (m_at == m_end) {
                m_output.flush();
                const ssize_t n = read(0, m_buffer.data(), m_buffer.size());
                if (n < 0 && errno == EINTR) continue;
                if (n <= 0) return false;
                m_at = 0, m_end = n;
            }
            const size_t n = std::min(size, m_end - m_at);
            std::memcpy(out, m_buffer.data() + m_at, n);
            m_at += n, out += n, size -= n;
        }
        return true;
    }
};

// What a run is told on its command line, as name=value.
struct Options {
    uint64_t seed = 0;
    double idle = 0, stall = 0;
    unsigned tuser_bits = 1;
    uint64_t time = 0, time_step = 1;
    uint64_t patience = 1 << 19;
    uint64_t trace = 0;  // Number of the first launch to trace; 0 for none.
    bool random_start = false;
    std::string waves, native;

    Options(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) {
            const std::string word{argv[i]};
            const size_t at = word.find('=');
            if (at == std::string::npos) continue;
            const std::string name = word.substr(0, at), text = word.substr(at + 1);
            const uint64_t number = std::strtoull(text.c_str(), nullptr, 0);
            if (name == "seed") seed = number;
            else if (name == "idle") idle = std::strtod(text.c_str(), nullptr);
            else if (name == "stall") stall = std::strtod(text.c_str(), nullptr);
            else if (name == "tuser_bits") tuser_bits = number;
            else if (name == "time") time = number;
            else if (name == "time_step") time_step = number;
            else if (name == "patience") patience = number;
            else if (name == "random_start") random_start = number;
            else if (name == "trace") trace = number;
            else if (name == "waves") waves = text;
            else if (name == "native") native = text;
            else std::fprintf(stderr, "unknown option %s\n", word.c_str()), std::_Exit(2);
        }
    }
};
