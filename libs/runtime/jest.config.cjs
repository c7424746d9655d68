module.exports = require('../../jest.package.cjs')('runtime');
