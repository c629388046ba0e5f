// Models of the cells of an ECP5 that a board's design has, for simulation only. They do what these
// cells do at the edges of clocks; they have no delays. Sources: FPGA-TN-02200, FPGA-TN-02035.

// The oscillator that is simulated has the frequency of the output: this PLL multiplies nothing.
module EHXPLLL (
  input CLKI, CLKFB, RST, STDBY, ENCLKOP, PLLWAKESYNC,
  input PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
  output CLKOP, output LOCK
);
  parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "", DPHASE_SOURCE = "";
  parameter FEEDBK_PATH = "", CLKOP_ENABLE = "", OUTDIVIDER_MUXA = "";
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0;
  reg [3:0] edges = 0;
  always @(posedge CLKI) if (!LOCK) edges <= edges + 1;
  assign CLKOP = CLKI;
  assign LOCK = &edges;
endmodule

// What D was at a rising edge and at the falling edge after it, both from the next rising edge on.
module IDDRX1F (input D, SCLK, RST, output reg Q0, output reg Q1);
  reg rise, fall;
  always @(posedge SCLK) begin
    rise <= D;
    Q0 <= rise;
    Q1 <= fall;
  end
  always @(negedge SCLK) fall <= D;
endmodule

// What D0 and D1 were at a rising edge: D0 in the half of the cycle before the falling edge, D1 after.
module ODDRX1F (input D0, D1, SCLK, RST, output Q);
  reg first, second;
  always @(posedge SCLK) begin
    first <= D0;
    second <= D1;
  end
  assign Q = SCLK ? first : second;
endmodule

// A delay of DEL_VALUE steps of 25 ps, here of none.
module DELAYG (input A, output Z);
  parameter DEL_MODE = "", DEL_VALUE = 0;
  assign Z = A;
endmodule
