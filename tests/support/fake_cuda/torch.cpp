// Stands for libtorch_cuda.so where only its place matters.
extern "C" int fakeTorchCuda() { return 1; }
