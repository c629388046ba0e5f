// One register stage that passes frames on, and does to each what bits 4:1 of its tuser say.
module rxgate(
    input clk, input rst,
    input [15:0] s_axis_tdata, input [1:0] s_axis_tkeep, input s_axis_tvalid, output s_axis_tready,
    input s_axis_tlast, input [4:0] s_axis_tuser,
    output [15:0] m_axis_tdata, output [1:0] m_axis_tkeep, output m_axis_tvalid, input m_axis_tready,
    output m_axis_tlast, output [3:0] m_axis_tuser,
    output reg [63:0] stat_received, output reg [63:0] stat_pass, output [63:0] stat_drop,
    output [63:0] stat_aborted, output [63:0] stat_tx, output [63:0] stat_redirect,
    output [63:0] stat_overflow, output [63:0] stat_bad
);
    localparam FALLS = 1, CHANGES = 2, HOLES = 3, SHORT = 4, VERDICT = 5, ERR = 6, EMPTY = 7,
        ENDLESS = 8, HANGS = 9, UNKNOWN = 10, NOISE = 11;
    reg full, last, first, held;
    reg [15:0] data;
    reg [1:0] keep;
    reg [3:0] fault;
    reg starts;
    wire hangs = fault == HANGS && full;
    wire move = s_axis_tvalid & s_axis_tready;
    assign s_axis_tready = (!full | m_axis_tready) & !hangs;
    assign m_axis_tvalid = full & !hangs & !(fault == FALLS & held);
    assign m_axis_tdata = data ^ {15'd0, fault == CHANGES & held | fault == NOISE};
    assign m_axis_tkeep = fault == HOLES ? 2'b10 : fault == SHORT & !last ? 2'b01
        : fault == EMPTY & last ? 2'b00 : keep;
    assign m_axis_tlast = last & fault != ENDLESS;
    assign m_axis_tuser = {fault == ERR, fault == UNKNOWN ? 3'd7
        : fault == VERDICT & !first ? 3'd3 : 3'd2};
    assign {stat_drop, stat_aborted, stat_tx, stat_redirect, stat_overflow, stat_bad} = 0;

    always @(posedge clk) begin
        held <= m_axis_tvalid & !m_axis_tready;
        if (s_axis_tready) full <= s_axis_tvalid;
        if (move) begin
            {data, keep, last, first} <= {s_axis_tdata, s_axis_tkeep, s_axis_tlast, starts};
            starts <= s_axis_tlast;
            if (starts) fault <= s_axis_tuser[4:1];
            if (s_axis_tlast) begin
                stat_received <= stat_received + 1;
                stat_pass <= stat_pass + 1;
            end
        end
        if (rst) begin
            {full, held, fault} <= 0;
            starts <= 1;
            stat_received <= 0;
            stat_pass <= 0;
        end
    end
endmodule
