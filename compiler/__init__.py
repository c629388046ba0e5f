"""A program in any of its forms -> a scheduled pipeline in Verilog."""
