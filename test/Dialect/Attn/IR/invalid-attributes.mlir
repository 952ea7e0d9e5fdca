// RUN: attn-opt %s --verify-diagnostics --split-input-file

// expected-error @below {{'attn.name' is "", expected a name}}
func.func private @f(tensor<?xf32> {attn.name = ""})

// -----

// expected-error @below {{'attn.shape' is 4 : i64, expected an array of symbols and sizes}}
func.func private @f(tensor<?xf32> {attn.shape = 4})

// -----

// expected-error @below {{'attn.shape' has 2 dimensions, but the type is 'tensor<?xf32>'}}
func.func private @f(tensor<?xf32> {attn.shape = ["batch", 4]})

// -----

// expected-error @below {{dimension 0 of 'attn.shape' is 1.000000e+00 : f64, expected a symbol or a size that is not negative}}
func.func private @f(tensor<?xf32> {attn.shape = [1.0]})

// -----

// expected-error @below {{dimension 0 of 'attn.shape' is -4 : i64, expected a symbol or a size that is not negative}}
func.func private @f(tensor<?xf32> {attn.shape = [-4]})

// -----

// expected-error @below {{dimension 1 of 'attn.shape' is 5 : i64, but the type is 'tensor<?x4xf32>'}}
func.func private @f() -> (tensor<?x4xf32> {attn.shape = ["batch", 5]})

// -----

// expected-error @below {{dimension 1 of 'attn.shape' is "n", but the type is 'tensor<?x4xf32>'}}
func.func private @f() -> (tensor<?x4xf32> {attn.shape = ["batch", "n"]})

// -----

// expected-error @below {{'attn.index_range' is [0, 4], expected array<i64: begin, end>}}
func.func private @f(tensor<?xi64> {attn.index_range = [0, 4]})

// -----

// expected-error @below {{'attn.index_range' is array<i64: 4, 0>, expected array<i64: begin, end>}}
func.func private @f(tensor<?xi64> {attn.index_range = array<i64: 4, 0>})

// -----

// expected-error @below {{'attn.target' is "x86-64-v3", expected a #attn.target on a module}}
module attributes {attn.target = "x86-64-v3"} {}

// -----

// expected-error @below {{'attn.dims' is {batch = 4 : i64}, expected a dictionary from symbols to #attn.dim, on a function}}
func.func private @f() attributes {attn.dims = {batch = 4}}

// -----

// expected-error @below {{'terms' is ["a"], expected arrays of a coefficient and symbols}}
func.func private @f() attributes {attn.dims = {b = #attn.dim<terms = ["a"]>}}

// -----

// expected-error @below {{'divisor' is [0, "a"], expected a positive coefficient and symbols}}
func.func private @f() attributes {attn.dims = {b = #attn.dim<terms = [[1, "a"]], divisor = [0, "a"]>}}

// -----

// expected-error @below {{a divisor divides terms, and only a quotient is exact}}
func.func private @f() attributes {attn.dims = {b = #attn.dim<terms = [[1, "a"]], exact = true>}}

// -----

// expected-error @below {{the bounds are 3 to 2}}
func.func private @f() attributes {attn.dims = {b = #attn.dim<min = 3, max = 2>}}

// -----

// expected-error @below {{a linear kernel needs positive rows and columns in whole vectors of lanes}}
func.func private @f() attributes {k = #attn.linear_kernel<rows = 6, columns = 12, lanes = 8>}

// -----

// expected-error @below {{a linear kernel cannot copy -1 rows}}
func.func private @f() attributes {k = #attn.linear_kernel<rows = 6, columns = 8, lanes = 8, copiedRows = -1>}

// -----

// expected-error @below {{an attention kernel needs positive sizes}}
func.func private @f() attributes {k = #attn.attention_kernel<queries = 16, keyRows = 0, valueRows = 4, valueColumns = 8, keyBlock = 64, lanes = 8>}

// -----

// expected-error @below {{queries and valueColumns of an attention kernel are whole vectors of lanes}}
func.func private @f() attributes {k = #attn.attention_kernel<queries = 12, keyRows = 4, valueRows = 4, valueColumns = 8, keyBlock = 64, lanes = 8>}

// -----

// expected-error @below {{a row kernel needs a positive number of lanes}}
func.func private @f() attributes {k = #attn.row_kernel<lanes = 0>}

// -----

// expected-error @below {{a schedule needs a positive rowBlock, got 0}}
func.func private @f() attributes {k = #attn.schedule<rowBlock = 0, kernel = #attn.row_kernel<lanes = 8>>}

// -----

// expected-error @below {{a schedule needs a #attn kernel attribute, got "fast"}}
func.func private @f() attributes {k = #attn.schedule<rowBlock = 4, kernel = "fast">}

// -----

// expected-error @below {{columnBlock is 24, expected a multiple of the columns of a #attn.linear_kernel, or 0}}
func.func private @f() attributes {k = #attn.schedule<rowBlock = 4, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>, columnBlock = 24>}

// -----

// expected-error @below {{columnBlock is 8, expected a multiple of the columns of a #attn.linear_kernel, or 0}}
func.func private @f() attributes {k = #attn.schedule<rowBlock = 4, kernel = #attn.row_kernel<lanes = 8>, columnBlock = 8>}

// -----

// expected-error @below {{'attn.storage' is f32, expected a float of 8 or 4 bits, i4 or i2}}
func.func private @f(tensor<?xi8> {attn.storage = f32})

// -----

// expected-error @below {{'attn.storage' is i3, expected a float of 8 or 4 bits, i4 or i2}}
func.func private @f(tensor<?xi8> {attn.storage = i3})

// -----

// expected-error @below {{'attn.storage' needs elements of i8 in the IR, the type is 'tensor<?xi16>'}}
func.func private @f() -> (tensor<?xi16> {attn.storage = f8E5M2})

// -----

// expected-error @below {{'attn.unsigned' is true, expected no value}}
func.func private @f(tensor<?xi8> {attn.unsigned = true})
