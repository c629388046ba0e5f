// A board's side of a serial line, as Verilator's C++ -> what it does while a host drives the line.
//
// Standard input has batches: a count (32 bits), then so many levels (8) with the cycles that they last
// (32). For each batch standard output has a count and so many changes of the board's line, each the
// cycle (64) and the level (8); then a count and so many writes: an address and a word (32 each).
#include <cstdint>
#include <cstdio>
#include <vector>

#include "Vrxgate.h"
#include "verilated.h"

namespace {

template <class Number> bool take(Number& value) { return fread(&value, sizeof value, 1, stdin) == 1; }

template <class Number> void put(Number value) { fwrite(&value, sizeof value, 1, stdout); }

}  // namespace

int main(int argc, char** argv) {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(std::atoi(argv[1]));
    Vrxgate top{&context};
    uint64_t cycle = 0;
    const auto tick = [&] {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        ++cycle;
    };
    top.i_line = top.rst = 1;
    for (int n = 0; n < 4; ++n) tick();
    top.rst = 0;
    bool level = true;
    for (uint32_t count; take(count);) {
        std::vector<std::pair<uint64_t, bool>> changes;
        std::vector<std::pair<uint32_t, uint32_t>> writes;
        while (count--) {
            uint8_t driven;
            uint32_t cycles;
            take(driven);
            take(cycles);
            top.i_line = driven;
            while (cycles--) {
                tick();
                if (top.o_line != level) changes.emplace_back(cycle, level = top.o_line);
                if (top.o_write) writes.emplace_back(top.o_address, top.o_data);
            }
        }
        put<uint32_t>(changes.size());
        for (const auto& [at, now] : changes) {
            put(at);
            put<uint8_t>(now);
        }
        put<uint32_t>(writes.size());
        for (const auto& [address, word] : writes) {
            put(address);
            put(word);
        }
        fflush(stdout);
    }
}
