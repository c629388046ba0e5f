// Launches on standard input, one block of bytes per cycle -> as many blocks with what came out.
// A block is all of port i, or all of port o as it was before the clock edge.
#include <cstdio>

#include "Vrxgate.h"

int main(int argc, char** argv) {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(argc > 1 ? std::atoi(argv[1]) + 1 : 1);
    Vrxgate top{&context};
    const auto edge = [&] {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    };
    top.clk = 0;
    top.rst = 1;
    for (int n = 0; n < 3; ++n) edge();
    top.rst = 0;
    while (std::fread(&top.i, sizeof top.i, 1, stdin) == 1) {
        top.eval();
        std::fwrite(&top.o, sizeof top.o, 1, stdout);
        edge();
    }
    top.final();
    return std::fflush(stdout) ? 1 : 0;
}
