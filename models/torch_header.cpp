// Owns the precompiled LibTorch header (models/CMakeLists.txt); it has no code of its own.
