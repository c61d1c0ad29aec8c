"""Code on this computer: warm kernels, isolated from the user's files, network and processes."""
